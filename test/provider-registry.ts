// Where can a test have Terraform download a provider from, with signatures, without the internet?
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { arch } from 'node:os';
import { join } from 'node:path';
import { executablesOnPath } from '../app/tools/search-path.ts';
import { zipped } from './zip.ts';

export type ProviderRegistry = {
  /** As in `required_providers`. */
  readonly source: string;
  readonly version: string;
  /** The certificate that Terraform has to trust: SSL_CERT_FILE. */
  readonly certificate: string;
  /** The `zh:` checksum of the archive of this machine's platform. */
  readonly checksum: string;
  /** Of another platform. */
  readonly otherChecksum: string;
  /** How often somebody has asked for the archive. */
  readonly downloads: () => number;
  readonly close: () => Promise<void>;
};

const version = '0.14.2';
const goArch = arch() === 'x64' ? 'amd64' : arch();

/** What it takes is no part of Node. */
export async function canServeProviders(): Promise<boolean> {
  const found = await Promise.all(
    ['openssl', 'gpg', 'gpgconf'].map((name) => executablesOnPath(process.env.PATH ?? '', name)),
  );
  return found.every((paths) => paths.length > 0);
}

/**
 * Serves one version of one provider, signed by a key of its own, whose files are written to `directory`.
 * Source: developer.hashicorp.com/terraform/internals/provider-registry-protocol.
 */
export async function startProviderRegistry(binary: string, directory: string): Promise<ProviderRegistry> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const archive = zipped([[`terraform-provider-time_v${version}`, readFileSync(binary)]]);
  const shasum = createHash('sha256').update(archive).digest('hex');
  const filename = `terraform-provider-time_${version}_linux_${goArch}.zip`;
  // As many platforms as there are, so that nobody can tell which one is meant.
  const other = createHash('sha256').update('darwin').digest('hex');
  const sums = `${other}  terraform-provider-time_${version}_darwin_arm64.zip\n${shasum}  ${filename}\n`;
  const { publicKey, signature } = sign(sums, directory);
  const { certificate, key } = certify(directory);
  let downloads = 0;
  const description = {
    ...{ protocols: ['5.0'], os: 'linux', arch: goArch, filename, shasum },
    ...{ download_url: '/archive', shasums_url: '/sums', shasums_signature_url: '/signature' },
    signing_keys: { gpg_public_keys: [{ key_id: 'test', ascii_armor: publicKey }] },
  };
  const platforms = [{ os: 'linux', arch: goArch }];
  const pages = new Map<string, () => string | Buffer>([
    ['/.well-known/terraform.json', () => JSON.stringify({ 'providers.v1': '/v1/' })],
    ['/v1/hashicorp/time/versions', () => JSON.stringify({ versions: [{ version, platforms }] })],
    [`/v1/hashicorp/time/${version}/download/linux/${goArch}`, () => JSON.stringify(description)],
    ['/sums', () => sums],
    ['/signature', () => signature],
    ['/archive', () => archive],
  ]);
  const server = createServer({ cert: readFileSync(certificate), key }, (request, response) => {
    // Asked about by HEAD first.
    if (request.url === '/archive' && request.method === 'GET') downloads += 1;
    const page = pages.get(request.url ?? '')?.();
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(page);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    source: `localhost:${port}/hashicorp/time`,
    ...{
      certificate,
      version,
      checksum: `zh:${shasum}`,
      otherChecksum: `zh:${other}`,
      downloads: () => downloads,
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function sign(text: string, directory: string): { readonly publicKey: string; readonly signature: Buffer } {
  const gpg = (args: readonly string[]) =>
    execFileSync('gpg', ['--homedir', directory, '--batch', '--quiet', '--passphrase', '', ...args], {
      input: text,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  try {
    gpg(['--quick-generate-key', 'test', 'rsa2048', 'sign', 'never']);
    return { publicKey: gpg(['--armor', '--export']).toString(), signature: gpg(['--detach-sign']) };
  } finally {
    // It starts an agent that stays.
    execFileSync('gpgconf', ['--homedir', directory, '--kill', 'all']);
  }
}

function certify(directory: string): { readonly certificate: string; readonly key: Buffer } {
  const [certificate, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
  const extension = ['-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', [...request, ...extension, '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
  return { certificate, key: readFileSync(key) };
}
