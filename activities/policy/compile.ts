// What does a set of Rego files become, and what is wrong with it when it becomes nothing?
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, sep } from 'node:path';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { operatorError } from '../faults.ts';
import type { PolicyBundle } from './bundle.ts';
import { createBundle, readCachedBundle, saveCachedBundle } from './bundle.ts';
import { allowedBuiltinNames, readCapabilities } from './capabilities.ts';
import { readCompileErrors } from './compile-errors.ts';
import { answeringPackages, entryModule, packagesWithoutAnswer, readModules } from './packages.ts';
import type { PolicySource } from './policy-source.ts';
import { runOpa } from './run-opa.ts';
import { readWasm } from './wasm-archive.ts';

export type CompileResult =
  | { readonly kind: 'compiled'; readonly bundle: PolicyBundle }
  | { readonly kind: 'broken'; readonly problems: readonly [Diagnostic, ...Diagnostic[]] };

export type CompileQuestion = {
  readonly opaPath: string;
  /** Made when missing. Holds one file per set of sources and version of OPA. */
  readonly cacheDir: string;
  readonly sources: readonly PolicySource[];
};

/** Paths are embedded in the result: always the same folder name, so that the same text gives the same bytes. */
const sourceFolder = 'policies';
const entryFile = 'entry.rego';
const capabilitiesFile = 'capabilities.json';
const archiveFile = 'bundle.tar.gz';

/**
 * Compiles every package that may judge (`hatchet`, `hatchet.*`, `main`) to one WebAssembly module.
 * A mistake in the sources is `broken`. OperatorError: `opa` is missing or made a module that cannot run.
 */
export async function compilePolicies(question: CompileQuestion): Promise<CompileResult> {
  const key = await cacheKey(question);
  const cached = await readCachedBundle(question.cacheDir, key);
  if (cached !== null) return { kind: 'compiled', bundle: cached };
  const workDir = await mkdtemp(join(tmpdir(), 'hatchet-policies-'));
  try {
    const result = await compileIn(workDir, question);
    // Where nothing can be written, it is compiled anew the next time.
    if (result.kind === 'compiled')
      await saveCachedBundle(question.cacheDir, key, result.bundle).catch(() => undefined);
    return result;
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

async function cacheKey({ opaPath, sources }: CompileQuestion): Promise<string> {
  const version = await runOpa({ opaPath, cwd: tmpdir(), args: ['version'] });
  const parts = [version.stdout, [...allowedBuiltinNames], sources, entryModule([])];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

async function compileIn(workDir: string, { opaPath, sources }: CompileQuestion): Promise<CompileResult> {
  await writeSources(workDir, sources);
  await writeFile(join(workDir, capabilitiesFile), await readCapabilities(opaPath, workDir));
  const flags = ['--capabilities', capabilitiesFile];
  const check = await runOpa({
    opaPath,
    cwd: workDir,
    args: ['check', '--format', 'json', ...flags, sourceFolder],
  });
  if (!check.ok)
    return { kind: 'broken', problems: readCompileErrors(check.stderr || check.stdout, sourceFolder) };

  const modules = await readModules({ opaPath, cwd: workDir, sources });
  const silent = packagesWithoutAnswer(modules);
  if (silent !== null) return { kind: 'broken', problems: silent };
  const packages = answeringPackages(modules);
  await writeFile(join(workDir, entryFile), entryModule(packages));
  const entrypoints = packages.flatMap(({ entrypoint }) => ['--entrypoint', entrypoint]);
  const args = [
    'build',
    '--target',
    'wasm',
    ...entrypoints,
    ...flags,
    '--output',
    archiveFile,
    sourceFolder,
    entryFile,
  ];
  const build = await runOpa({ opaPath, cwd: workDir, args });
  if (!build.ok) throw operatorError(`opa build failed: ${(build.stderr || build.stdout).trim()}`);
  return {
    kind: 'compiled',
    bundle: await createBundle(await readWasm(join(workDir, archiveFile)), packages),
  };
}

async function writeSources(workDir: string, sources: readonly PolicySource[]): Promise<void> {
  const root = join(workDir, sourceFolder);
  await mkdir(root, { recursive: true });
  for (const { path, text } of sources) {
    const file = join(root, normalize(path));
    if (!file.startsWith(root + sep))
      throw operatorError(`the policy path ${JSON.stringify(path)} leaves its folder`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}
