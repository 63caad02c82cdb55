// What do the small files beside the code say?
import { type Listing, resolvePath } from './listing.ts';
import { createMemo } from './memo.ts';
import { isRegular } from './modules.ts';
import type { Objects } from './objects.ts';
import { isPointer } from './terraform-file.ts';

/** Reads of files that are expected to be short. Links are followed; null for what is no file. */
export type SmallFiles = {
  /** Null as well when it is larger than any version file. */
  text(listing: Listing, path: string): Promise<string | null>;
  isPointer(listing: Listing, path: string): Promise<boolean>;
};

/** A version file is a line; Git LFS says that a pointer is smaller than this, too. */
const maxSmallBytes = 1024;
/** A kilobyte each at most. */
const maxCachedFiles = 20_000;

const memo = createMemo<string | null>(maxCachedFiles);

export function createSmallFiles(objects: Objects): SmallFiles {
  async function text(listing: Listing, path: string): Promise<string | null> {
    const resolved = resolvePath(listing, path);
    if (resolved.kind !== 'file' || !isRegular(resolved.entry)) return null;
    const { sha } = resolved.entry;
    return memo(sha, async () => {
      const blob = await objects.readBlob(sha, maxSmallBytes);
      return Buffer.isBuffer(blob) ? blob.toString('utf8') : null;
    });
  }
  return {
    text,
    isPointer: async (listing, path) => isPointer((await text(listing, path)) ?? ''),
  };
}
