// Does a real browser show the page of a run to everybody: by day, at night, on a phone, without scripts, unharmed?
import { randomUUID } from 'node:crypto';
import type { BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ResourceChange } from '../workflows/model/change.ts';
import { parsePlanId, parseSha } from '../workflows/model/identifiers.ts';
import { inBrowser, noBrowser, visit } from './browser.ts';
import { changes, prodPlan } from './render-example.ts';
import type { RunSite } from './run-page-site.ts';
import { openRunSite } from './run-page-site.ts';
import { repository, someBytes, somePlan, someRun } from './stored-plan.ts';
import { patienceMs, storyTimeoutMs } from './story.ts';

let site: RunSite;
beforeAll(async () => {
  site = await openRunSite();
});
afterAll(() => site?.close());

/** The address of a page that shows these changes and this log. */
async function planned(
  resources: readonly ResourceChange[],
  { project = 'prod', log = 'planned\n' }: { readonly project?: string; readonly log?: string } = {},
): Promise<string> {
  const stored = somePlan({ dir: project });
  const [id, runId] = [parsePlanId(randomUUID()), someRun()];
  const bytes = { ...someBytes('word'), changes: { resources, outputs: [] }, log: Buffer.from(log) };
  await site.store.runs.savePlan({ ...stored, plan: { ...stored.plan, id, runId } }, bytes);
  return (await site.show({ id: runId, kind: 'plan', project, running: false })).get(runId) ?? '';
}

/** Contrast of two colours as `rgb(…)`. Source: w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const light = (colour: string): number => {
    const parts = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => Number(part) / 255);
    const [red = 0, green = 0, blue = 0] = parts.map((part) =>
      part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [dark = 0, bright = 0] = [light(one), light(other)].sort((left, right) => left - right);
  return (bright + 0.05) / (dark + 0.05);
}

const themes: readonly BrowserContextOptions[] = [
  { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 800 } },
  { colorScheme: 'light', viewport: { width: 390, height: 800 }, javaScriptEnabled: false },
];

describe.skipIf(noBrowser)(`in a browser${inBrowser}`, { timeout: storyTimeoutMs }, () => {
  test.each(themes)('every text can be read, and nothing sticks out: $colorScheme $viewport.width', (theme) =>
    visit(theme, async ({ page, complaints }) => {
      const colours = [31, 32, 33, 34, 35, 36, 37, 41, 44, 94].map(
        (code) => `\u001b[${code}mcolour\u001b[0m`,
      );
      const address = await planned(changes.get(prodPlan.id)?.resources ?? [], {
        log: `2026-11-22T04:12:28Z Error: no\n${colours.join('\n')}\n${'long'.repeat(300)}\n`,
      });
      expect((await page.goto(address))?.status()).toBe(200);
      expect(await page.title()).toBe('Plan of prod · acme/infra#7');
      const size = await page.locator('html').evaluate((html) => [html.scrollWidth, html.clientWidth]);
      expect(size[0]).toBe(size[1]);
      expect(await page.locator('details[open] pre .del').count()).toBeGreaterThan(0);
      const texts = await page.locator('main *').evaluateAll((elements) =>
        elements
          .filter((element) =>
            [...element.childNodes].some((node) =>
              /\S/.test(node.nodeType === 3 ? (node.textContent ?? '') : ''),
            ),
          )
          .map((element) => {
            let ground: Element | null = element;
            while (ground !== null && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)')
              ground = ground.parentElement;
            const of = (one: Element | null) =>
              one === null ? 'rgb(0, 0, 0)' : getComputedStyle(one).backgroundColor;
            return {
              text: element.textContent?.slice(0, 40) ?? '',
              colour: getComputedStyle(element).color,
              ground: of(ground),
            };
          }),
      );
      expect(texts.length).toBeGreaterThan(40);
      expect(texts.filter(({ colour, ground }) => contrast(colour, ground) < 4.5)).toEqual([]);
      expect(complaints).toEqual([]);
    }),
  );

  test('hostile names are shown as what they are, and nothing of them runs (S9)', () =>
    visit({}, async ({ page, complaints }) => {
      const evil = '<img src=x onerror="globalThis.caught=1"><script>globalThis.caught=1</script>';
      await site.store.pullRequests.save({
        repository,
        readAt: new Date().toISOString(),
        standing: null,
        pullRequest: {
          nodeId: 'PR_7',
          number: 7,
          title: `\u202e${evil}`,
          author: '"><script>globalThis.caught=1</script>',
          state: 'open',
          draft: false,
          fork: false,
          head: parseSha('a'.repeat(40)),
          base: 'main',
          baseSha: parseSha('b'.repeat(40)),
          mergeCommit: null,
          mergedBy: null,
          mergedAt: null,
          labels: [],
        },
      });
      const value = { kind: 'known', json: JSON.stringify(`</pre>${evil}\u202e`) } as const;
      const change: ResourceChange = {
        address: `a.b["${evil}"]`,
        type: 'a',
        action: 'update',
        attributes: [{ path: evil, before: { kind: 'unknown' }, after: value, forcesReplacement: true }],
        importId: evil,
      };
      const address = await planned([change], {
        project: evil,
        log: `${evil}\n\u001b[31m</pre>${evil}\u001b[0m\n\u202e\n`,
      });
      await page.goto(address);
      const text = await page.locator('main').textContent();
      expect(text?.split('<script>globalThis.caught=1</script>').length).toBeGreaterThan(8);
      expect(text).toContain('⟨U+202E⟩');
      expect(text).not.toContain('\u202e');
      expect(await page.locator('main img, main script').count()).toBe(0);
      expect(await page.evaluate('globalThis.caught')).toBeUndefined();
      expect(complaints).toEqual([]);
    }));

  test('lines of a run appear while it goes on, and its end loads the whole page', () =>
    visit({}, async ({ page, complaints }) => {
      const run = someRun();
      const address =
        (await site.show({ id: run, kind: 'plan', project: 'prod', running: true })).get(run) ?? '';
      await page.goto(address);
      expect(await page.locator('.status').textContent()).toBe(' Planning');
      const log = page.locator('pre.log');
      for (const [seq, line] of ['<one>\n\n', '\u001b[32mtwo\u001b[0m & 2\n', 'three\n'].entries()) {
        await site.store.liveLogs.append(run, seq, line);
        await vi.waitUntil(
          async () => ((await log.textContent()) ?? '').includes(line.match(/one|two|three/)?.[0] ?? line),
          {
            timeout: patienceMs,
          },
        );
      }
      expect(await log.textContent()).toBe('<one>\n\ntwo & 2\nthree\n');
      expect(await log.locator('.fg-green').textContent()).toBe('two');
      await site.store.runs.saveLog(run, Buffer.from('the whole log\n'));
      await page.locator('.status.bad').waitFor({ timeout: patienceMs });
      expect(await page.locator('.status').textContent()).toContain('Could not be planned');
      expect(await log.textContent()).toBe('the whole log\n');
      expect(await page.locator('script').count()).toBe(0);
      expect(complaints).toEqual([]);
    }));

  test('without scripts the page of a run that goes on is loaded again by itself', () =>
    visit({ javaScriptEnabled: false }, async ({ page, complaints }) => {
      const run = someRun();
      const address =
        (await site.show({ id: run, kind: 'plan', project: 'prod', running: true })).get(run) ?? '';
      await page.goto(address);
      await site.store.runs.saveLog(run, Buffer.from('the whole log\n'));
      await page.getByText('the whole log').waitFor({ timeout: patienceMs });
      expect(complaints).toEqual([]);
    }));
});
