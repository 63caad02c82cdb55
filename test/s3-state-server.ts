// Where can a test keep a Terraform state whose lock outlives whoever took it, and tells whose it is?
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type S3StateServer = {
  /** The backend's configuration; its credentials mean nothing. */
  readonly backend: string;
  /** The lock as it was written; null while nobody holds it. */
  readonly lock: () => string | null;
  readonly putLock: (content: string) => void;
  readonly removeLock: () => void;
  /** How often a lock was taken by an apply, and how often it was given back or broken. */
  readonly counts: () => { readonly taken: number; readonly removed: number };
  readonly close: () => Promise<void>;
};

/**
 * As much of S3 as Terraform's backend needs with `use_lockfile`: objects, and a write that fails when the object is
 * there. Source: developer.hashicorp.com/terraform/language/backend/s3.
 */
export async function startS3StateServer(): Promise<S3StateServer> {
  const objects = new Map<string, string>();
  let [taken, removed] = [0, 0];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const key = new URL(request.url ?? '/', 'http://s3').pathname;
    const answer = (status: number, content = '', headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(content);
    const found = objects.get(key);
    switch (request.method) {
      case 'PUT':
        if (request.headers['if-none-match'] === '*' && found !== undefined)
          return answer(412, '<Error><Code>PreconditionFailed</Code></Error>');
        if (key === lockKey && body.includes('OperationTypeApply')) taken += 1;
        objects.set(key, unchunked(body));
        return answer(200, '', { etag: '"1"' });
      case 'DELETE':
        if (key === lockKey && found !== undefined) removed += 1;
        objects.delete(key);
        return answer(204);
      default:
        if (key === '/states' || key === '/states/')
          return answer(200, '<ListBucketResult></ListBucketResult>');
        if (found === undefined) return answer(404, '<Error><Code>NoSuchKey</Code></Error>');
        return answer(200, request.method === 'HEAD' ? '' : found, {
          'content-length': Buffer.byteLength(found),
          etag: '"1"',
        });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    backend: backendAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    lock: () => objects.get(lockKey) ?? null,
    putLock: (content) => void objects.set(lockKey, content),
    removeLock: () => void objects.delete(lockKey),
    counts: () => ({ taken, removed }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const lockKey = '/states/prod.tfstate.tflock';

/** A body that is sent in signed chunks: each is preceded by its size, and followed by checksums. */
function unchunked(body: string): string {
  const [, size] = /^([0-9a-f]+)(?:;[^\r]*)?\r\n/.exec(body) ?? [];
  if (size === undefined) return body;
  const start = body.indexOf('\r\n') + 2;
  return Buffer.from(body.slice(start)).subarray(0, Number.parseInt(size, 16)).toString();
}

const backendAt = (endpoint: string): string => `terraform {
  backend "s3" {
    bucket                      = "states"
    key                         = "prod.tfstate"
    region                      = "us-east-1"
    access_key                  = "nobody"
    secret_key                  = "nothing"
    use_lockfile                = true
    use_path_style              = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_requesting_account_id  = true
    skip_region_validation      = true
    skip_s3_checksum            = true
    endpoints                   = { s3 = "${endpoint}" }
  }
}
`;
