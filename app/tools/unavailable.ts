// What is said when a tool cannot be had?
import type { Tool } from './versions.ts';

export type Source = 'path' | 'cache' | 'download' | 'registry';

/** One way that was tried; `reason` is a clause without a full stop. */
export type Attempt = { readonly source: Source; readonly reason: string };

/** For the operator: names the tool, everything that was tried with its reason, and how to provide it. */
export class ToolUnavailable extends Error {
  override readonly name = 'OperatorError';
  readonly attempts: readonly Attempt[];

  constructor(tool: Tool, attempts: readonly Attempt[], cachePath: string) {
    super(explain(tool, attempts, cachePath));
    this.attempts = attempts;
  }
}

function explain(tool: Tool, attempts: readonly Attempt[], cachePath: string): string {
  const { name, version, release } = tool;
  return [
    `${name} ${version} is needed and cannot be had. Tried:`,
    ...attempts.map(({ source, reason }) => `  ${source}: ${reason}`),
    'Provide it in one of these ways:',
    `  put ${name} (${tool.accepts}) on PATH`,
    `  put the executable of version ${version} at ${cachePath}`,
    `  set ${release.mirrorVariable} to an address that serves the files of ${release.base}`,
  ].join('\n');
}
