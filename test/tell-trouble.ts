// What did the app say when a test of it failed?
import { afterEach } from 'vitest';
import { openWorlds } from './world.ts';

const troubling = ['warn', 'error', 'fatal'];
/** What matters is mostly said last. */
const shownLines = 40;

afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return;
  for (const { app } of openWorlds) {
    const troubles = app.lines.filter((line) => isTrouble(line)).slice(-shownLines);
    process.stderr.write(`${[`after "${task.name}" the app had said:`, ...troubles].join('\n')}\n`);
  }
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
