// How are numbers, names and times put into words?
import { cutText, inlineCode } from './markdown.ts';

/** A directory can be deep: in a sentence or a cell its beginning is enough. */
export const maxNameLength = 120;

/** "1 approval", "2 approvals". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** More names than this are counted: the table has them all. */
const maxNames = 3;

/** "`prod`": a project, a file or an address inside a sentence. */
export function named(name: string): string {
  return inlineCode(cutText(name, maxNameLength));
}

/** "`prod`, `staging` and `dns`"; "`a`, `b`, `c` and 37 more". */
export function nameList(names: readonly string[]): string {
  const shown = names.slice(0, maxNames).map(named);
  return join(names.length > maxNames ? [...shown, `${names.length - maxNames} more`] : shown, 'and');
}

/** "a", "a and b", "a, b and c". */
export function join(parts: readonly string[], word: 'and' | 'or'): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} ${word} ${parts.at(-1)}`;
}

/** "22:04 UTC" of an ISO 8601 time. */
export function clock(iso: string): string {
  return `${new Date(iso).toISOString().slice(11, 16)} UTC`;
}

/** "2026-11-21 22:04 UTC" of an ISO 8601 time. */
export function moment(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 10)} ${clock(iso)}`;
}

/** "3m 12s", "45s", "2h 5m". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
}

/** The first seven digits of a commit, as code. */
export function shortSha(sha: string): string {
  return inlineCode(sha.slice(0, 7));
}
