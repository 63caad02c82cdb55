// What does every page have around what it says?
import { readFileSync } from 'node:fs';
import { escaped } from './html.ts';

/** A document in pieces, and what of it may run: a page allows its own style and script by their digests. */
export type Page = {
  readonly html: Iterable<string>;
  readonly style: string;
  readonly script: string | null;
};

const style = readFileSync(new URL('./page.css', import.meta.url), 'utf8');
const script = readFileSync(new URL('./follow.js', import.meta.url), 'utf8');

/** Without a script, a page that still changes is loaded again this often. */
const refreshSeconds = 5;

/** `follows`: more will come. Nothing in it needs a script, nothing is fetched from elsewhere. */
export function pageHtml(content: {
  readonly title: string;
  readonly follows: boolean;
  readonly body: Iterable<string>;
}): Page {
  return { html: documentHtml(content), style, script: content.follows ? script : null };
}

function* documentHtml({ title, follows, body }: Parameters<typeof pageHtml>[0]): Generator<string> {
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
${follows ? `<noscript><meta http-equiv="refresh" content="${refreshSeconds}"></noscript>\n` : ''}<style>${style}</style>
</head>
<body>
<main>
`;
  yield* body;
  yield `</main>\n${follows ? `<script>${script}</script>\n` : ''}</body>\n</html>\n`;
}
