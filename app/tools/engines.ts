// Which Terraform or OpenTofu runs a project that asks for a version?
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import semver from 'semver';
import type { Engine, VersionRequirement } from '../../workflows/model/project.ts';
import type { Constraint } from './constraint.ts';
import { allows, parseConstraint } from './constraint.ts';
import { below } from './download.ts';
import { fetchText } from './fetch-file.ts';
import type { ReleaseOptions, ResolveOptions } from './resolve.ts';
import { fetchDownload } from './resolve.ts';
import { executablesOnPath } from './search-path.ts';
import { readVersion } from './tool-version.ts';
import { engineRelease, tools } from './versions.ts';

export type Installed = { readonly path: string; readonly version: string };

export type EngineAnswer =
  | ({ readonly kind: 'found' } & Installed)
  | {
      readonly kind: 'unavailable';
      /** Versions at hand, newest first. */
      readonly installed: readonly string[];
      /** Clauses without a full stop. */
      readonly reasons: readonly string[];
    };

export type Engines = (engine: Engine, requirement: VersionRequirement | null) => Promise<EngineAnswer>;

/** Terraform's list is some 2 MB. */
const maxIndexBytes = 32_000_000;
/** A new release is not missed for long, and a busy runner asks rarely. */
const indexMs = 10 * 60_000;

/**
 * The best match of what is at hand: on PATH, and fetched before. What is not is downloaded: the exact version that is
 * named, else the newest release that the maker's list has. Programs are asked for their version once.
 */
export function createEngines(options: ResolveOptions, now: () => number = Date.now): Engines {
  const askVersion = createVersionMemory();
  const fetching = new Map<string, Promise<EngineAnswer>>();
  const readIndex = createIndexMemory(options, now);

  /** Those on PATH first, in its order: the first is the default. */
  async function installed(engine: Engine): Promise<readonly Installed[]> {
    const files = [
      ...(await executablesOnPath(options.path, engine)),
      ...(await cachedEngines(options.dataDir, engine)),
    ];
    const found = await Promise.all(files.map((file) => askVersion(engine, file)));
    return found.filter((one) => one !== null);
  }

  /** Null: nothing that may be fetched meets it, and the reason. */
  async function downloadable(engine: Engine, wanted: Constraint): Promise<string | { reason: string }> {
    if (wanted.exact !== null) return wanted.exact;
    const { version } = tools[engine];
    const known = await readIndex(engine).catch((error: Error) => error);
    const usable = (one: string) => allows(wanted, one) && isSupported(engine, one);
    if (!(known instanceof Error)) {
      const newest = known.filter(usable).sort(semver.rcompare)[0];
      if (newest !== undefined) return newest;
    }
    if (usable(version)) return version;
    return { reason: known instanceof Error ? known.message : `no release of ${engine} meets it` };
  }

  async function fetch(engine: Engine, version: string): Promise<EngineAnswer> {
    const tool = engineRelease(engine, version);
    const release: ReleaseOptions = { ...options, mirror: options.mirrors[engine] };
    const found = await fetchDownload(tool, release).catch((error: Error) => ({ reasons: [error.message] }));
    if ('path' in found) return { kind: 'found', ...found };
    for (const reason of found.reasons) options.log(`${engine} ${version} not from download: ${reason}`);
    return { kind: 'unavailable', installed: [], reasons: found.reasons };
  }

  function fetchOnce(engine: Engine, version: string): Promise<EngineAnswer> {
    const key = `${engine} ${version}`;
    const running = fetching.get(key) ?? fetch(engine, version).finally(() => fetching.delete(key));
    fetching.set(key, running);
    return running;
  }

  return async (engine, requirement) => {
    const hand = await installed(engine);
    const versions = hand.map(({ version }) => version).sort(semver.rcompare);
    const unavailable = (reasons: readonly string[]): EngineAnswer => ({
      kind: 'unavailable',
      installed: [...new Set(versions)],
      reasons,
    });
    const wanted = requirement === null ? null : parseConstraint(requirement.constraint);
    if (requirement !== null && wanted === null) return unavailable(['this is no version constraint']);
    const best =
      wanted === null
        ? hand.find(({ version }) => semver.prerelease(version) === null)
        : newest(hand.filter(({ version }) => allows(wanted, version)));
    if (best !== undefined) return { kind: 'found', ...best };
    const version = wanted === null ? tools[engine].version : await downloadable(engine, wanted);
    if (typeof version !== 'string') return unavailable([version.reason]);
    if (!isSupported(engine, version))
      return unavailable([`Hatchet needs ${engine} ${tools[engine].accepts}`]);
    const fetched = await fetchOnce(engine, version);
    return fetched.kind === 'found' ? fetched : unavailable(fetched.reasons);
  };
}

function newest(found: readonly Installed[]): Installed | undefined {
  return [...found].sort((left, right) => semver.rcompare(left.version, right.version))[0];
}

const isSupported = (engine: Engine, version: string): boolean =>
  semver.satisfies(semver.coerce(version) ?? version, tools[engine].accepts);

/** A program that is replaced in its place is asked again. */
function createVersionMemory(): (engine: Engine, file: string) => Promise<Installed | null> {
  const known = new Map<string, Promise<Installed | null>>();
  return async (engine, file) => {
    const status = await stat(file).catch(() => null);
    if (status === null) return null;
    const key = `${file}:${status.ino}:${status.mtimeMs}:${status.size}`;
    const asked = known.get(key) ?? askVersion(engine, file);
    known.set(key, asked);
    // A machine under load must not make a good program unusable for good.
    void asked.then((answer) => answer === null && known.delete(key));
    return asked;
  };
}

async function askVersion(engine: Engine, file: string): Promise<Installed | null> {
  const said = await readVersion(tools[engine], file);
  if (said.kind === 'refused' || !isSupported(engine, said.version)) return null;
  return { path: await realpath(file), version: said.version };
}

/** Nothing gets there that did not say the right version once. */
async function cachedEngines(dataDir: string, engine: Engine): Promise<readonly string[]> {
  const folder = join(dataDir, 'tools');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(`${engine}-`));
  return names.map((name) => join(folder, name, engine));
}

/** The versions that the maker lists; empty where there is no list. */
function createIndexMemory(
  { mirrors }: ResolveOptions,
  now: () => number,
): (engine: Engine) => Promise<readonly string[]> {
  const known = new Map<Engine, { readonly until: number; readonly versions: Promise<readonly string[]> }>();
  return (engine) => {
    const { base, indexPath } = tools[engine].release;
    if (indexPath === null) return Promise.resolve([]);
    const remembered = known.get(engine);
    if (remembered !== undefined && now() < remembered.until) return remembered.versions;
    const versions = fetchText(below(mirrors[engine] ?? base, indexPath), maxIndexBytes).then(parseIndex);
    known.set(engine, { until: now() + indexMs, versions });
    versions.catch(() => known.delete(engine));
    return versions;
  };
}

function parseIndex(text: string): readonly string[] {
  const document: unknown = JSON.parse(text);
  const versions =
    typeof document === 'object' && document !== null && 'versions' in document ? document.versions : null;
  if (typeof versions !== 'object' || versions === null)
    throw new Error('the list of releases has no versions');
  return Object.keys(versions).filter((version) => semver.valid(version) !== null);
}
