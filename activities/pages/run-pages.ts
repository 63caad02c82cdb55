// Which pages are there of a run, and what is new on one?
import type { RunId } from '../../workflows/model/identifiers.ts';
import type { Store } from '../store/store.ts';
import { logHtml } from './log-html.ts';
import type { Notice } from './notice-page.ts';
import { noticePage } from './notice-page.ts';
import type { Page } from './page.ts';
import { runPage } from './run-page.ts';
import type { RunReport } from './run-report.ts';
import { isOver, readRunReport } from './run-report.ts';

/** Finished HTML that comes after what is on a page, and the number to ask with for what comes after it. */
export type News =
  | { readonly kind: 'lines'; readonly html: string; readonly after: number }
  /** The page says something else now: it is to be loaded again. */
  | { readonly kind: 'over' };

export type RunPages = {
  /** Null: there is no such run. `events` is where its page asks for news. */
  readonly run: (id: RunId, events: string) => Promise<Page | null>;
  readonly news: (id: RunId, after: number) => Promise<News>;
  readonly notice: (notice: Notice) => Page;
};

/** `address`: of a run's page, by the run and when it was first shown. */
export function createRunPages(store: Store, address: (run: RunId, since: string) => string): RunPages {
  return {
    run: async (id, events) => {
      const report = await readRunReport(store, id);
      return report === null ? null : runPage(report, { events, other: await otherPage(report.run) });
    },
    news: async (id, after) => {
      const run = await store.shownRuns.find(id);
      const chunks = run === null || isOver(run) ? null : await store.liveLogs.read(id, after);
      if (chunks === null) return { kind: 'over' };
      const text = chunks.map((chunk) => chunk.text).join('');
      return {
        kind: 'lines',
        html: [...logHtml(text)].join(''),
        after: chunks.at(-1)?.seq ?? after,
      };
    },
    notice: noticePage,
  };

  /** From a plan to its apply, and back. */
  async function otherPage({ id, apply, planRunId }: RunReport['run']): Promise<string | null> {
    const other = apply?.runId === id ? planRunId : (apply?.runId ?? null);
    const run = other === null ? null : await store.shownRuns.find(other);
    return run === null ? null : address(run.id, run.startedAt);
  }
}
