// When is a plan larger than Hatchet can take, and what do people hear of it?
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';

const mebibytes = (bytes: number, round: (size: number) => number): string =>
  `${round((bytes / 1024 / 1024) * 10) / 10} MiB`;

const divide = 'Divide the project into several root modules, or keep large values out of its resources';

/** `bytes` and `maxBytes`: of the plan's JSON. It cannot even be read, so nothing of it is on show. */
export function tooLarge(bytes: number, maxBytes: number): Diagnostic {
  const [size, limit] = [mebibytes(bytes, Math.ceil), mebibytes(maxBytes, Math.floor)];
  return {
    severity: 'error',
    summary: `The plan is too large: its JSON has ${size}, and Hatchet takes at most ${limit}.`,
    detail: `It can be neither shown nor applied here. ${divide}, then push.`,
  };
}

/** It is not too large to be kept, but to be looked into. */
export function beyondMemory(bytes: number): Diagnostic {
  return {
    severity: 'error',
    summary: `The plan is too large: its JSON has ${mebibytes(bytes, Math.ceil)}, and to read it takes more memory than its runner has.`,
    detail: `It can be neither shown nor applied here. ${divide}, then push; or whoever runs Hatchet gives the runner more memory.`,
  };
}
