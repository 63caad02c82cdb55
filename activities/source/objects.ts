// What is in a commit, a tree, a blob?
import { parseSha, type Sha } from '../../workflows/model/identifiers.ts';
import { decodeName } from './file-name.ts';
import type { Git } from './git.ts';
import { createObjectStream, type GitObject } from './object-stream.ts';
import type { EntryKind, TreeCache, TreeEntry } from './tree-cache.ts';

export type Commit = {
  readonly tree: Sha;
  readonly parents: readonly Sha[];
  /** Name, address, seconds and zone, as git writes them. */
  readonly author: string;
  readonly committer: string;
  readonly message: string;
};

/** Null: the mirror does not have it. */
export type Objects = {
  has(sha: Sha): Promise<boolean>;
  readCommit(sha: Sha): Promise<Commit | null>;
  /** In git's order. Throws when it is missing or no tree: trees are reached from commits that are there. */
  readTree(sha: Sha): Promise<readonly TreeEntry[]>;
  blobSize(sha: Sha): Promise<number | null>;
  /** `too-large` without reading it. */
  readBlob(sha: Sha, maxBytes: number): Promise<Buffer | 'too-large' | null>;
  close(): void;
};

const kinds: Readonly<Record<string, EntryKind>> = {
  '100644': 'file',
  '100664': 'file',
  '100755': 'executable',
  '120000': 'symlink',
  '40000': 'directory',
  '160000': 'submodule',
};

/** `trees` may be shared by all mirrors: a tree's name is its content. */
export function createObjects(git: Git, gitDir: string, trees: TreeCache): Objects {
  const stream = createObjectStream(git, gitDir);
  // Asked for again before it is there: a hostile tree names the same one a hundred thousand times.
  const reading = new Map<Sha, Promise<readonly TreeEntry[]>>();

  async function read(sha: Sha): Promise<readonly TreeEntry[]> {
    const object = await stream.object(sha);
    if (object === null) throw new Error(`tree ${sha} is missing in the mirror`);
    const entries = parseTree(expectType(object, 'tree', sha), sha.length / 2);
    trees.set(sha, entries);
    return entries;
  }

  function readOnce(sha: Sha): Promise<readonly TreeEntry[]> {
    const known = reading.get(sha);
    if (known !== undefined) return known;
    const started = read(sha).finally(() => reading.delete(sha));
    reading.set(sha, started);
    return started;
  }

  return {
    has: async (sha) => (await stream.header(sha)) !== null,
    async readCommit(sha) {
      const object = await stream.object(sha);
      return object === null ? null : parseCommit(expectType(object, 'commit', sha).toString('utf8'));
    },
    readTree: async (sha) => trees.get(sha) ?? (await readOnce(sha)),
    blobSize: async (sha) => (await stream.header(sha))?.size ?? null,
    async readBlob(sha, maxBytes) {
      const header = await stream.header(sha);
      if (header === null) return null;
      if (header.size > maxBytes) return 'too-large';
      const object = await stream.object(sha);
      return object === null ? null : expectType(object, 'blob', sha);
    },
    close: () => stream.close(),
  };
}

function expectType(object: GitObject, type: GitObject['type'], sha: Sha): Buffer {
  if (object.type !== type) throw new Error(`${sha} is a ${object.type}, not a ${type}`);
  return object.content;
}

/** Entries are `<mode> <name>\0<binary sha>`. Source: git's Documentation/gitformat-pack and tree objects. */
function parseTree(bytes: Buffer, shaBytes: number): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const end = bytes.indexOf(0, space);
    if (space < 0 || end < 0) throw new Error('a tree in the mirror cannot be read');
    entries.push({
      name: decodeName(bytes.subarray(space + 1, end)),
      kind: kinds[bytes.toString('latin1', at, space)] ?? 'file',
      sha: bytes.toString('hex', end + 1, end + 1 + shaBytes) as Sha,
    });
    at = end + 1 + shaBytes;
  }
  return entries;
}

function parseCommit(text: string): Commit {
  const end = text.indexOf('\n\n');
  const lines = text.slice(0, end < 0 ? text.length : end).split('\n');
  const values = (key: string) =>
    lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  return {
    tree: parseSha(values('tree')[0] ?? ''),
    parents: values('parent').map(parseSha),
    author: values('author')[0] ?? '',
    committer: values('committer')[0] ?? '',
    message: end < 0 ? '' : text.slice(end + 2),
  };
}
