// How does a maker's own build of a tool get here, and how do we know that it is the one?
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchFile, fetchText } from './fetch-file.ts';
import type { ShowProgress } from './progress.ts';
import { publishedSum } from './sums.ts';
import { unpack } from './unpack.ts';
import type { PlatformName, Tool } from './versions.ts';

export type Download = {
  readonly tool: Tool;
  readonly platform: PlatformName | null;
  /** In place of the maker's own address; may hold `user:password@`. */
  readonly mirror: string | undefined;
  readonly workDir: string;
  readonly progress: ShowProgress;
};

/**
 * The path of the unpacked binary in `workDir`. The file must have the sum that the maker publishes beside it and,
 * where we know one, the pinned sum: a mirror can serve other bytes, but not with our sum.
 * Throws an Error that names the address and the reason.
 */
export async function downloadTool({ tool, platform, mirror, workDir, progress }: Download): Promise<string> {
  if (platform === null) throw new Error(`${tool.name} is not published for this platform`);
  const { release } = tool;
  const base = mirror ?? release.base;
  const path = release.path(platform);
  const expected = expectedSum(
    await fetchText(below(base, release.sumsPath(platform))),
    path,
    release.pinnedSums[platform],
  );
  const archive = join(workDir, 'download');
  const fetched = await fetchFile(below(base, path), archive, (doneBytes, totalBytes) => {
    progress({
      kind: 'working',
      tool: tool.name,
      doing: `downloading ${tool.version}`,
      doneBytes,
      totalBytes,
    });
  });
  if (fetched.sha256 !== expected)
    throw new Error(`${path} has SHA-256 ${fetched.sha256}, published is ${expected}`);
  const binary = join(workDir, tool.name);
  await unpack(release.packing, archive, tool.name, binary);
  await rm(archive);
  return binary;
}

function expectedSum(sums: string, path: string, pinned: string | undefined): string {
  const published = publishedSum(sums, path);
  if (published === null) throw new Error(`the file of sums does not name ${path}`);
  if (pinned !== undefined && pinned !== published) {
    throw new Error(`the SHA-256 published for ${path} is ${published}, pinned is ${pinned}`);
  }
  return published;
}

export function below(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path}`;
}
