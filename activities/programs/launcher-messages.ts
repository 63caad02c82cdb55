// What do we and the process that starts our programs say to each other?

/** A pipe, nothing, or a file whose end is written to. */
export type Stdio = 'ignore' | 'pipe' | { readonly append: string };

export type StartRequest = {
  readonly kind: 'start';
  readonly id: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly detached: boolean;
  /** By descriptor, the input first. */
  readonly stdio: readonly Stdio[];
};

export type LauncherRequest =
  | StartRequest
  | { readonly kind: 'input'; readonly id: number; readonly text: string }
  | { readonly kind: 'end-input'; readonly id: number }
  | { readonly kind: 'kill'; readonly id: number; readonly signal: NodeJS.Signals }
  /** It has ended, and what it left running may keep its pipes: nobody listens any more. */
  | { readonly kind: 'hang-up'; readonly id: number };

/** In the order in which it happens; `close` is always the last of an id. */
export type LauncherAnswer =
  | { readonly kind: 'started'; readonly id: number; readonly pid: number }
  | { readonly kind: 'output'; readonly id: number; readonly descriptor: number; readonly bytes: Buffer }
  | { readonly kind: 'error'; readonly id: number; readonly message: string; readonly code: string | null }
  | ({ readonly kind: 'exit' | 'close'; readonly id: number } & ProgramEnd);

export type ProgramEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };
