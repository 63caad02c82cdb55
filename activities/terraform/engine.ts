// Which binary runs a project, and what is said when its version cannot be had?
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import type { Engine, VersionRequirement } from '../../workflows/model/project.ts';

/** `path` is absolute. */
export type EngineBinary = { readonly kind: 'found'; readonly path: string; readonly version: string };

export type EngineFound =
  | EngineBinary
  | {
      readonly kind: 'unavailable';
      /** Versions of this engine that are at hand, newest first. */
      readonly installed: readonly string[];
      /** Why it cannot be fetched: clauses without a full stop. */
      readonly reasons: readonly string[];
    };

/** Finds, or fetches, what meets a requirement; null asks for the runner's default. Answers from memory where it can. */
export type EngineFor = (engine: Engine, requirement: VersionRequirement | null) => Promise<EngineFound>;

/** Throws the reason of `signal` when it aborts: a download goes on for the next run, this one need not wait for it. */
export async function findEngine(
  engineFor: EngineFor,
  engine: Engine,
  requirement: VersionRequirement | null,
  signal: AbortSignal,
): Promise<EngineBinary | { readonly kind: 'unavailable'; readonly diagnostic: Diagnostic }> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const stop = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const found = await Promise.race([engineFor(engine, requirement), aborted.promise]);
    if (found.kind === 'found') return found;
    return { kind: 'unavailable', diagnostic: explainUnavailable(engine, requirement, found) };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const titles: Readonly<Record<Engine, string>> = { terraform: 'Terraform', tofu: 'OpenTofu' };

/** For the people of the pull request: what was asked for and by whom, what there is, and what can be done. */
function explainUnavailable(
  engine: Engine,
  requirement: VersionRequirement | null,
  { installed, reasons }: Extract<EngineFound, { kind: 'unavailable' }>,
): Diagnostic {
  const wanted = requirement === null ? titles[engine] : `${titles[engine]} ${requirement.constraint}`;
  const asks = requirement === null ? [] : [`${requirement.source} asks for ${requirement.constraint}.`];
  const hand = installed.length === 0 ? 'nothing' : installed.join(', ');
  const change = requirement === null ? [] : [`ask for another version in ${requirement.source}, or `];
  return {
    severity: 'error',
    summary: `${wanted} is not to be had on this runner`,
    detail: [
      ...asks,
      `Installed here: ${hand}.`,
      ...reasons.map((reason) => `Not fetched: ${reason}.`),
      `To mend it, ${change.join('')}let the operator install that version or make its download reachable.`,
    ].join('\n'),
  };
}
