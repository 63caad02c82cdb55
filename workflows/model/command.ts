// What does a comment ask for?

export const verbs = [
  'plan',
  'apply',
  'approve',
  'reject',
  'override',
  'cancel',
  'unlock',
  'status',
  'help',
] as const;
export type Verb = (typeof verbs)[number];

/** One parsed command. `projects` are names or globs as typed; empty = all. */
export type Command =
  | {
      readonly kind: 'known';
      readonly verb: Verb;
      readonly projects: readonly string[];
      readonly destroy: boolean;
      /** Why somebody overrides a policy, as typed; null for every other verb. */
      readonly reason: string | null;
    }
  | { readonly kind: 'unknown-verb'; readonly word: string; readonly nearest: Verb | null }
  | { readonly kind: 'bad-arguments'; readonly verb: Verb; readonly problem: string };

/** Longer words cannot name anything here; the rest of the line is not read. */
const maxWordLength = 200;
const maxWords = 50;
const projectWord = /^[\p{L}\p{N}._/@*{}+=~ -]+$/u;

/**
 * The command in a comment, or null when there is none. Only the first non-blank line counts, and only outside
 * quotes and code. `/hatchet` alone asks for help.
 */
export function parseCommand(comment: string): Command | null {
  const line = comment.split(/\r\n|\r|\n/).find((text) => text.trim() !== '');
  if (line === undefined || /^(?: {4}| {0,3}\t)/.test(line)) return null;
  const text = line.trim().slice(0, maxWordLength * maxWords);
  const words = text.split(/\s+/);
  if (words[0]?.toLowerCase() !== '/hatchet') return null;
  const [, verbWord = 'help', ...rest] = words;
  const verb = verbs.find((known) => known === verbWord.toLowerCase());
  if (verb === undefined) {
    return {
      kind: 'unknown-verb',
      word: verbWord.slice(0, maxWordLength),
      nearest: nearest(verbWord.toLowerCase(), verbs),
    };
  }
  return verb === 'override' ? parseOverride(text, rest) : parseArguments(verb, rest);
}

/** A sentence for people; it is stored and shown, and nothing else is done with it. */
const maxReasonLength = 500;
/** `--reason` takes the rest of the line, with or without quotes around it. */
const reasonFlag = /\s--reason(?:=|\s+|$)(.*)$/su;
const quoted = /^(?:"(.*)"|'(.*)'|“(.*)”)$/su;

/** Names projects and says why: nobody lifts every denial at once, or without a word. */
function parseOverride(text: string, words: readonly string[]): Command {
  const bad = (problem: string): Command => ({ kind: 'bad-arguments', verb: 'override', problem });
  const flag = reasonFlag.exec(text);
  if (flag === null) return bad('`override` needs a reason: `--reason "…"`');
  const given = (flag[1] ?? '').trim();
  const inner = quoted.exec(given);
  const reason = (inner?.[1] ?? inner?.[2] ?? inner?.[3] ?? given).trim();
  if (reason === '') return bad('`--reason` is empty');
  if (reason.length > maxReasonLength) return bad(`a reason has at most ${maxReasonLength} characters`);
  const before = words.findIndex((word) => /^--reason(?:=|$)/.test(word));
  const command = parseArguments('override', words.slice(0, before));
  if (command.kind !== 'known') return command;
  return command.projects.length === 0
    ? bad('`override` takes the names of projects')
    : { ...command, reason };
}

function parseArguments(verb: Verb, words: readonly string[]): Command {
  const bad = (problem: string): Command => ({ kind: 'bad-arguments', verb, problem });
  if (words.length > maxWords) return bad(`more than ${maxWords} words`);
  const flags = words.filter((word) => word.startsWith('-'));
  const projects = words.filter((word) => !word.startsWith('-'));
  const unknownFlag = flags.find((flag) => flag !== '--destroy' || verb !== 'plan');
  if (unknownFlag !== undefined)
    return bad(`\`${unknownFlag.slice(0, maxWordLength)}\` is no flag of \`${verb}\``);
  if (projects.length > 0 && ['cancel', 'status', 'help'].includes(verb))
    return bad(`\`${verb}\` takes no projects`);
  const odd = projects.find((word) => word.length > maxWordLength || !projectWord.test(word));
  if (odd !== undefined) return bad(`\`${odd.slice(0, maxWordLength)}\` cannot be the name of a project`);
  return { kind: 'known', verb, projects, destroy: flags.includes('--destroy'), reason: null };
}

/** The closest of `candidates`, of equals the one with the same beginning; null when none is close enough. */
export function nearest<Candidate extends string>(
  word: string,
  candidates: readonly Candidate[],
): Candidate | null {
  const ranked = candidates
    .map((candidate) => ({
      candidate,
      distance: editDistance(word, candidate),
      common: commonLength(word, candidate),
    }))
    .sort((left, right) => left.distance - right.distance || right.common - left.common);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : null;
}

function commonLength(left: string, right: string): number {
  let length = 0;
  while (length < left.length && left[length] === right[length]) length += 1;
  return length;
}

/** Letters to insert, delete, replace or swap (Damerau-Levenshtein, restricted), words cut to `maxWordLength`. */
function editDistance(left: string, right: string): number {
  const [a, b] = [left.slice(0, maxWordLength), right.slice(0, maxWordLength)];
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + cost,
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
