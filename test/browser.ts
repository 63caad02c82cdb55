// Which browser do tests look with, and how is it kept from doing anything else?
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { executablesOnPath } from '../app/tools/search-path.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const found = await Promise.all(names.map((name) => executablesOnPath(process.env.PATH ?? '', name)));

/** Absolute path; null where none is installed. */
const browserPath = found.flat()[0] ?? null;

/** For `test.skipIf`, and what is said then. */
export const noBrowser = browserPath === null;
export const inBrowser = noBrowser ? ' (skipped: no Chromium on the PATH)' : '';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export type Visit = {
  readonly page: Page;
  /** Everything that a developer would see in red: errors of scripts, refused scripts and styles, failed requests. */
  readonly complaints: readonly string[];
};

/** Opens one page in a browser with a fresh profile, which is gone afterwards. */
export async function visit<Result>(
  options: BrowserContextOptions,
  look: (visit: Visit) => Promise<Result>,
): Promise<Result> {
  const profile = await mkdtemp(join(tmpdir(), 'hatchet-browser-'));
  let context: BrowserContext | null = null;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: browserPath ?? '',
      headless: true,
      args,
      ...options,
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText ?? '';
      // The page itself hung up, as it does when it is left.
      if (reason !== 'net::ERR_ABORTED') complaints.push(`${request.url()} ${reason}`);
    });
    return await look({ page, complaints });
  } finally {
    await context?.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
