// What is a compiled set of policies, and how is it kept between starts?
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** One package that judges. */
export type PolicyPackage = {
  /** As written in Rego, `hatchet.destroy`. */
  readonly name: string;
  /** The rules that must answer: deny, warn, approve and their relatives. */
  readonly rules: readonly string[];
  /** What the compiled module calls it. */
  readonly entrypoint: string;
};

export type PolicyBundle = {
  /** SHA-256 over module and packages, lowercase hex: what a verdict was given by. */
  readonly digest: string;
  readonly wasm: Uint8Array;
  readonly module: WebAssembly.Module;
  readonly packages: readonly PolicyPackage[];
};

export async function createBundle(
  wasm: Uint8Array,
  packages: readonly PolicyPackage[],
): Promise<PolicyBundle> {
  const module = await WebAssembly.compile(new Uint8Array(wasm));
  return { digest: bundleDigest(wasm, packages), wasm, module, packages };
}

function bundleDigest(wasm: Uint8Array, packages: readonly PolicyPackage[]): string {
  return createHash('sha256').update(JSON.stringify(packages)).update(wasm).digest('hex');
}

const cacheEntry = z.object({
  digest: z.string(),
  packages: z
    .array(z.object({ name: z.string(), rules: z.array(z.string()), entrypoint: z.string() }))
    .min(1),
  wasm: z.base64(),
});

/** The bundle kept under `key`, or null when there is none that is whole. */
export async function readCachedBundle(cacheDir: string, key: string): Promise<PolicyBundle | null> {
  const text = await readFile(cacheFile(cacheDir, key), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const entry = cacheEntry.parse(JSON.parse(text));
    const wasm = Buffer.from(entry.wasm, 'base64');
    return bundleDigest(wasm, entry.packages) === entry.digest
      ? await createBundle(wasm, entry.packages)
      : null;
  } catch {
    // A damaged entry is only a slow start: compiling again replaces it.
    return null;
  }
}

/** Written aside and renamed: processes that start together never read half a file. */
export async function saveCachedBundle(cacheDir: string, key: string, bundle: PolicyBundle): Promise<void> {
  const { digest, packages, wasm } = bundle;
  const file = cacheFile(cacheDir, key);
  const draft = `${file}.${randomUUID()}`;
  await mkdir(cacheDir, { recursive: true });
  await writeFile(draft, JSON.stringify({ digest, packages, wasm: Buffer.from(wasm).toString('base64') }));
  await rename(draft, file);
}

function cacheFile(cacheDir: string, key: string): string {
  return join(cacheDir, `${key}.json`);
}
