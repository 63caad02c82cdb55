// What of the things that people see is the same in every run?
import type { CheckRun } from '../fixtures/sandbox/model.ts';

/** Text without what differs from run to run: addresses, shas, times, ids, numbers of pull requests, table padding. */
export function normalize(text: string): string {
  return text
    .replace(/^<!-- hatchet:reply [0-9a-f]{32} -->\n/, '')
    .replaceAll(/(?:\/[\w.-]+)*\/hatchet-world-\w+\/state\/\d+/g, '/WORLD/state')
    .replaceAll(/(?:\/[\w.-]+)*\/hatchet-world-\w+/g, '/WORLD')
    .replaceAll(/\bocto-org\/infra-\d+\b/g, 'octo-org/infra')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'https://github.test')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replaceAll(/\b(?=[0-9a-f]*\d)[0-9a-f]{40}\b/g, 'SHA')
    .replaceAll(/`[0-9a-f]{7}`/g, '`SHA`')
    .replaceAll(/\/pull\/\d+/g, '/pull/N')
    .replaceAll(/\d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC/g, 'DATE TIME UTC')
    .replaceAll(/\b\d{2}:\d{2} UTC/g, 'TIME UTC')
    .replaceAll(/UTC \((?:\d+[hms] ?)+/g, 'UTC (DURATION')
    .replaceAll(/, in (?:\d+m )?\d+(?:\.\d+)? ?s\b/g, ', in DURATION')
    .split('\n')
    .map((line) => (line.startsWith('|') ? line.replaceAll(/ {2,}/g, ' ').replaceAll(/-{2,}/g, '--') : line))
    .join('\n');
}

/** One line per check, sorted by name: state, title, and its buttons in brackets. */
export function faces(checks: readonly CheckRun[]): readonly string[] {
  return checks
    .map((run) => {
      const buttons = run.actions.map(({ label }) => label).join(', ');
      return `${run.name}: ${run.conclusion ?? run.status}, ${normalize(run.title ?? '')}${buttons && ` [${buttons}]`}`;
    })
    .sort();
}
