// How is one file fetched over HTTP, within limits and with nothing secret in its errors?
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** A machine without a way out must fall on to the next source quickly. */
const headersTimeoutMs = 5_000;
/** A connection that brings nothing for so long is dead. */
const stallTimeoutMs = 30_000;
/** The largest tool is under 200 MB unpacked; anything above this is not one. */
const maxFileBytes = 500_000_000;
/** Some makers list every platform of a release; 256 KB is a hundred times that. */
const maxTextBytes = 256_000;

export type Fetched = { readonly sha256: string };
type OnBytes = (doneBytes: number, totalBytes: number | null) => void;

/** The text of a small file. Throws an Error whose message says what went wrong with which address. */
export async function fetchText(address: string, maxBytes = maxTextBytes): Promise<string> {
  const chunks: Uint8Array[] = [];
  await fetchChunks(address, maxBytes, (chunk) => {
    chunks.push(chunk);
  });
  return Buffer.concat(chunks).toString('utf8');
}

/** Writes the file to `target`, which must not exist, and forces it to the disk. Errors as fetchText. */
export async function fetchFile(address: string, target: string, onBytes: OnBytes): Promise<Fetched> {
  const hash = createHash('sha256');
  const file = await open(target, 'wx', 0o600);
  try {
    await fetchChunks(address, maxFileBytes, async (chunk, doneBytes, totalBytes) => {
      hash.update(chunk);
      await file.writeFile(chunk);
      onBytes(doneBytes, totalBytes);
    });
    await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex') };
}

type OnChunk = (chunk: Uint8Array, doneBytes: number, totalBytes: number | null) => void | Promise<void>;

async function fetchChunks(address: string, maxBytes: number, onChunk: OnChunk): Promise<void> {
  const shown = withoutCredentials(address).href;
  const abort = new AbortController();
  let timer = setTimeout(
    () => abort.abort(new Error(`no answer in ${headersTimeoutMs / 1000} s`)),
    headersTimeoutMs,
  );
  try {
    const response = await request(address, abort.signal);
    if (!response.ok || response.body === null) throw new Error(`answered ${response.status}`);
    const length = Number(response.headers.get('content-length'));
    const totalBytes = Number.isSafeInteger(length) && length > 0 ? length : null;
    let doneBytes = 0;
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(
        () => abort.abort(new Error(`no data for ${stallTimeoutMs / 1000} s`)),
        stallTimeoutMs,
      );
      doneBytes += chunk.byteLength;
      if (doneBytes > maxBytes) throw new Error(`is larger than ${maxBytes} bytes`);
      await onChunk(chunk, doneBytes, totalBytes);
    }
  } catch (error) {
    throw new Error(`${shown}: ${reason(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Credentials in a mirror's address travel as a header: fetch refuses them in the address itself. */
async function request(address: string, signal: AbortSignal): Promise<Response> {
  const { username, password } = new URL(address);
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const headers =
    username === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  return fetch(withoutCredentials(address), { signal, headers, redirect: 'follow' });
}

function withoutCredentials(address: string): URL {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url;
}

/** fetch hides the cause of a failed connection one level down. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message;
  return error.message;
}
