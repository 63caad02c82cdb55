// What does somebody read whose link opens nothing?
import type { Page } from './page.ts';
import { pageHtml } from './page.ts';

export type Notice = 'unknown' | 'expired' | 'trouble';

const texts: Record<Notice, { readonly title: string; readonly paragraphs: readonly string[] }> = {
  unknown: {
    title: 'There is nothing here',
    paragraphs: [
      'This address opens no run: it was cut off, changed, or made by another installation.',
      'Open the pull request on GitHub and follow the link in its checks or in the comment there.',
    ],
  },
  expired: {
    title: 'This link has ended',
    paragraphs: [
      'A link to a run opens its page for a limited time, because whoever has it can read the plan and the log.',
      'To see the plan as it is now, comment <code>/hatchet plan</code> on the pull request, or use the button <b>Re-plan</b> on its <code>hatchet/plan</code> check. The checks and the comment then link to the new run.',
    ],
  },
  trouble: {
    title: 'This page cannot be shown right now',
    paragraphs: [
      'Something that it needs does not answer. Try again in a minute; the cause is in Hatchet’s log.',
    ],
  },
};

export function noticePage(notice: Notice): Page {
  const { title, paragraphs } = texts[notice];
  const text = paragraphs.map((paragraph) => `<p>${paragraph}</p>\n`).join('');
  return pageHtml({ title, follows: false, body: [`<header><h1>${title}</h1></header>\n${text}`] });
}
