// How does a person see that a tool is being fetched?

/** `doneBytes` is null while nothing can be counted (a build); `totalBytes` when the server does not say. */
export type ToolProgress =
  | {
      readonly kind: 'working';
      readonly tool: string;
      readonly doing: string;
      readonly doneBytes: number | null;
      readonly totalBytes: number | null;
    }
  | { readonly kind: 'ended'; readonly tool: string };

export type ShowProgress = (progress: ToolProgress) => void;

type Screen = { readonly isTTY?: boolean; write(text: string): unknown };

/** More often than this nobody can read, and a slow terminal would slow the download. */
const redrawMs = 100;
const eraseLine = '\r\u001b[2K';

/** On a terminal one line that is drawn over and goes away; elsewhere one plain line for each thing done. */
export function createProgress(screen: Screen, now: () => number): ShowProgress {
  return screen.isTTY === true ? terminalProgress(screen, now) : plainProgress(screen);
}

function terminalProgress(screen: Screen, now: () => number): ShowProgress {
  let drawnAt = Number.NEGATIVE_INFINITY;
  return (progress) => {
    if (progress.kind === 'ended') {
      drawnAt = Number.NEGATIVE_INFINITY;
      screen.write(eraseLine);
    } else if (now() - drawnAt >= redrawMs) {
      drawnAt = now();
      screen.write(`${eraseLine}${describe(progress)}`);
    }
  };
}

function plainProgress(screen: Screen): ShowProgress {
  let said = '';
  return (progress) => {
    if (progress.kind === 'ended') return;
    const line = `${progress.tool}: ${progress.doing}`;
    if (line === said) return;
    said = line;
    screen.write(`${line}\n`);
  };
}

function describe(progress: ToolProgress & { kind: 'working' }): string {
  const { tool, doing, doneBytes, totalBytes } = progress;
  if (doneBytes === null) return `${tool}: ${doing}`;
  if (totalBytes === null) return `${tool}: ${doing} ${megabytes(doneBytes)} MB`;
  const percent = Math.min(100, Math.floor((doneBytes / totalBytes) * 100));
  return `${tool}: ${doing} ${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB (${percent} %)`;
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
