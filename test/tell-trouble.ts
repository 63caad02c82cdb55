// What did the app say when a test of it failed?
import { afterEach } from 'vitest';
import { openWorlds } from './world.ts';

const troubling = ['warn', 'error', 'fatal'];
/** What matters is mostly said last. */
const shownLines = 40;
/** The message stands before the stack. */
const shownCharacters = 600;

afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return;
  const troubles = openWorlds.values().flatMap(({ app }) => app.lines.filter(isTrouble).slice(-shownLines));
  const lines = troubles.map((line) => line.slice(0, shownCharacters));
  // Beside the failure itself, and not somewhere before it.
  throw new Error(['the app had said:', ...lines].join('\n'));
});

/** Whatever is no line of the log is worth a look, too. */
function isTrouble(line: string): boolean {
  try {
    const { level } = JSON.parse(line) as { readonly level?: string };
    return level !== undefined && troubling.includes(level);
  } catch {
    return true;
  }
}
