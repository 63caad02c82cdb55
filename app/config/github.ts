// Which GitHub is it, and as which App do we speak to it?
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Environment } from './environment.ts';
import { addressText, isLoopback, readAddress } from './environment.ts';

/** The App and the addresses of its GitHub, without a slash at their end. */
export type GithubConfig = {
  readonly appId: number;
  /** PEM, PKCS#8, RSA. */
  readonly privateKey: string;
  /** REST: `https://api.github.com`, GHES `https://HOST/api/v3`, ghe.com `https://api.SUB.ghe.com`. */
  readonly apiUrl: string;
  /** Where repositories are fetched from and pages are linked: `https://github.com`. */
  readonly webUrl: string;
};

/** GitHub makes RSA keys of 2048 bits. */
const fewestModulusBits = 2048;
/** Shorter secrets can be guessed from one signed webhook, offline. */
const shortestWebhookSecret = 16;

export function readGithub(environment: Environment): GithubConfig {
  return {
    appId: readAppId(environment),
    privateKey: readPrivateKey(environment),
    ...readAddresses(environment),
  };
}

function readAppId(environment: Environment): number {
  const remedy = 'Set it to the number called "App ID" on the settings page of your GitHub App.';
  const text = environment.get('APP_ID');
  if (text === undefined) environment.report({ variable: 'APP_ID', what: 'is missing', remedy });
  else if (!/^[1-9]\d{0,14}$/.test(text))
    environment.report({ variable: 'APP_ID', what: 'is not a number', remedy });
  return Number(text);
}

function readPrivateKey(environment: Environment): string {
  const [inline, path] = [environment.get('PRIVATE_KEY'), environment.get('PRIVATE_KEY_PATH')];
  const variable = path === undefined ? 'PRIVATE_KEY' : 'PRIVATE_KEY_PATH';
  const remedy =
    'Generate a private key on the settings page of your GitHub App; give the PEM file as PRIVATE_KEY_PATH, or its text as PRIVATE_KEY (real line ends, \\n, or all of it in base64).';
  const refuse = (what: string): string => {
    environment.report({ variable, what, remedy });
    return '';
  };
  if (inline !== undefined && path !== undefined) return refuse('is set beside PRIVATE_KEY; one must go');
  if (path !== undefined) {
    const read = readText(path);
    return read.text === null
      ? refuse(`names a file that cannot be read (${read.code})`)
      : parseKey(read.text, refuse);
  }
  return inline === undefined ? refuse('is missing') : parseKey(inline, refuse);
}

function readText(path: string): { readonly text: string } | { readonly text: null; readonly code: string } {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    return { text: null, code: error instanceof Error && 'code' in error ? String(error.code) : 'error' };
  }
}

function parseKey(text: string, refuse: (what: string) => string): string {
  const begin = '-----BEGIN';
  const pem = text.includes(begin)
    ? text.replaceAll('\\n', '\n')
    : Buffer.from(text, 'base64').toString('utf8');
  if (!pem.includes(begin)) return refuse('holds no PEM key');
  try {
    const key = createPrivateKey(pem.slice(pem.indexOf(begin)));
    if (key.asymmetricKeyType !== 'rsa') return refuse('is not an RSA key, and GitHub Apps sign with RSA');
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (bits < fewestModulusBits)
      return refuse(`has ${bits} bits and GitHub's keys have ${fewestModulusBits}`);
    return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch {
    // What the parser says is left out: it may quote the key.
    return refuse('holds a key that cannot be read: cut off, encrypted with a passphrase, or a public key');
  }
}

function readAddresses(environment: Environment): Omit<GithubConfig, 'appId' | 'privateKey'> {
  const variable = 'GITHUB_API_URL';
  const url = readAddress(environment, variable) ?? new URL('https://api.github.com');
  const apiUrl = addressText(url);
  const enterprise = url.pathname.endsWith('/api/v3');
  const hosted = url.hostname === 'api.github.com' || /^api\.[^.]+\.ghe\.com$/.test(url.hostname);
  if (!enterprise && !hosted && !isLoopback(url)) {
    environment.report({
      variable,
      what: "is not the address of GitHub's API",
      remedy: 'Use https://api.github.com, https://HOST/api/v3 (GHES) or https://api.SUB.ghe.com.',
    });
  }
  return {
    apiUrl,
    webUrl: hosted ? `https://${url.hostname.replace(/^api\./, '')}` : apiUrl.replace(/\/api\/v3$/, ''),
  };
}

/** A missing secret, and the one that Probot falls back to, would let anyone send webhooks. */
export function readWebhookSecret(environment: Environment): string {
  const variable = 'WEBHOOK_SECRET';
  const remedy =
    'Make one (openssl rand -hex 32) and set it here and on the settings page of your GitHub App.';
  const secret = environment.get(variable);
  if (secret === undefined) environment.report({ variable, what: 'is missing', remedy });
  else if (secret === 'development')
    environment.report({ variable, what: 'is a value that everyone knows', remedy });
  else if (secret.length < shortestWebhookSecret) {
    environment.report({ variable, what: `is shorter than ${shortestWebhookSecret} characters`, remedy });
  }
  return secret ?? '';
}
