// Which tools does this role need, and where are they?
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { Engines } from './tools/engines.ts';
import { createEngines } from './tools/engines.ts';
import { createProgress } from './tools/progress.ts';
import type { ResolveOptions } from './tools/resolve.ts';
import { resolveTool } from './tools/resolve.ts';
import { executablesOnPath } from './tools/search-path.ts';
import type { ToolName } from './tools/versions.ts';

/** Absolute paths; null where the role does not need the tool or (tofu, bwrap) the machine does not have it. */
export type ToolPaths = {
  readonly terraform: string | null;
  readonly tofu: string | null;
  readonly opa: string | null;
  readonly temporal: string | null;
  readonly bubblewrap: string | null;
};

/** For each project its own engine and version; fetches what is asked for and not there. */
export function createEngineFinder(config: Config, log: Logger): Engines {
  return createEngines({ ...resolveOptions(config, log), progress: () => undefined });
}

/** Fetches what is missing. Throws ToolUnavailable, which lists what was tried. */
export async function findTools(config: Config, log: Logger): Promise<ToolPaths> {
  const { role, temporal } = config;
  const runs = role === 'all' || role === 'runner';
  const judges = role === 'all' || role === 'control';
  const [terraform, opa, server, tofu, bubblewrap] = await Promise.all([
    runs ? find('terraform', config, log) : null,
    judges ? find('opa', config, log) : null,
    temporal.kind === 'embedded' ? find('temporal', config, log) : null,
    onPath('tofu', config),
    onPath('bwrap', config),
  ]);
  return { terraform, tofu, opa, temporal: server, bubblewrap };
}

async function find(name: ToolName, config: Config, log: Logger): Promise<string> {
  const { path, version, source } = await resolveTool(name, resolveOptions(config, log));
  log.info({ component: 'tools', tool: name, version, source, path }, 'tool found');
  return path;
}

function resolveOptions({ environment, dataDir, mirrors }: Config, log: Logger): ResolveOptions {
  return {
    path: environment.PATH ?? '',
    dataDir,
    mirrors,
    environment,
    progress: createProgress(process.stderr, Date.now),
    log: (line) => log.debug({ component: 'tools' }, line),
  };
}

async function onPath(name: string, { environment }: Config): Promise<string | null> {
  return (await executablesOnPath(environment.PATH ?? '', name))[0] ?? null;
}
