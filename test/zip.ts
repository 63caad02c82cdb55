// How does a test pack a zip archive?
import { crc32 } from 'node:zlib';

/** Stored entries, a directory, its end record: PKWARE's APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16. */
export function zipped(entries: readonly (readonly [string, string | Buffer])[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  for (const [name, content] of entries) {
    const bytes = Buffer.from(content);
    const offset = Buffer.concat(locals).length;
    // Version 2.0, no flags, stored, no time, then sum, sizes and lengths: the same 26 bytes in both headers.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    locals.push(Buffer.from('PK\u0003\u0004'), common, Buffer.from(name), bytes);
    // Made on Unix, where it is a file that everybody may execute.
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(0o100755 * 2 ** 16, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\u0001\u0002\u0014\u0003'), common, rest, Buffer.from(name));
  }
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(Buffer.concat(locals).length, 16);
  return Buffer.concat([...locals, ...directory, end]);
}
