// What of an apply that was cut off is still to be kept, and how is that done once it can be?
import { Buffer } from 'node:buffer';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import type { RunId } from '../../workflows/model/identifiers.ts';
import { parseRunId } from '../../workflows/model/identifiers.ts';
import type { RunPass } from '../../workflows/port/run.ts';
import { applyErrorsName, applyOutputName } from './apply-command.ts';
import { erroredStateName, maxStateBytes } from './apply-outcome.ts';
import { parseEvent } from './event.ts';
import { createMask } from './mask.ts';
import { isAtWorkIn } from './processes.ts';
import { readSecrets } from './read-plan.ts';
import { readForeignFile } from './run-directory.ts';
import type { RunAccess, RunnerSettings } from './settings.ts';
import type { StartNote } from './start-record.ts';
import { emptyStartNote, readStartNote } from './start-record.ts';

export type Leftovers = {
  /** The directory of an apply of which not everything could be kept. */
  readonly add: (root: string) => void;
  /** Keeps what can be kept now of all of them; what cannot is tried again by the next call. Never rejects. */
  readonly sweep: () => Promise<void>;
};

export type LeftoverDependencies = {
  readonly settings: Pick<RunnerSettings, 'workDir' | 'masks'>;
  readonly accessFor: (pass: RunPass | null, signal: AbortSignal) => RunAccess;
  readonly log: Pick<Logger, 'info' | 'warn'>;
};

/** More than is ever kept of a log. */
const maxOutputBytes = 64 * 1024 * 1024;

export function createLeftovers(deps: LeftoverDependencies): Leftovers {
  const roots = new Set<string>();
  const told = new Set<string>();
  const sweepOne = async (root: string): Promise<void> => {
    try {
      if (!(await keepLeftover(deps, root))) return;
      roots.delete(root);
      deps.log.info({ run: root }, 'what an apply that was cut off had left is kept now');
    } catch (error) {
      if (!told.has(root))
        deps.log.warn({ err: error, run: root }, 'what an apply had left could not be kept; it stays here');
      told.add(root);
    }
  };
  return {
    add: (root) => void roots.add(root),
    async sweep() {
      for (const root of [...roots]) await sweepOne(root);
    },
  };
}

/** False while Terraform is at work there: what it leaves is not there yet. */
async function keepLeftover(deps: LeftoverDependencies, root: string): Promise<boolean> {
  const { workDir } = deps.settings;
  const runId = parseRunId(basename(root).slice(0, runIdLength));
  if (await isAtWorkIn(root)) return false;
  const note = await readStartNote(workDir, runId);
  if (note === null) throw new Error('nothing says whose it is: an earlier version has left it');
  const { store } = deps.accessFor(note.pass, new AbortController().signal);
  await keepState(store, runId, join(root, 'tree'), note);
  await keepLog(deps, store, { runId, root, note });
  await rm(root, { recursive: true, force: true, maxRetries: 3 });
  await emptyStartNote(workDir, runId);
  return true;
}

/** Of a UUID. The directory's name goes on with letters that make it unique. */
const runIdLength = 36;

async function keepState(
  store: RunAccess['store'],
  runId: RunId,
  tree: string,
  { projectDir }: StartNote,
): Promise<void> {
  const path = join(tree, projectDir, erroredStateName);
  const state = await readForeignFile({ path, within: tree, maxBytes: maxStateBytes });
  if (state !== null) await store.saveErroredState(runId, state);
}

/** Only where none is kept, and only where it is known what has to be masked: the state is what matters. */
async function keepLog(
  { settings }: LeftoverDependencies,
  store: RunAccess['store'],
  { runId, root, note }: { readonly runId: RunId; readonly root: string; readonly note: StartNote },
): Promise<void> {
  try {
    const mask = createMask([
      ...settings.masks,
      ...(await readSecrets(await store.readPlanJson(note.planId))),
    ]);
    const read = async (name: string) =>
      (
        await readForeignFile({ path: join(root, name), within: root, maxBytes: maxOutputBytes })
      )?.toString() ?? '';
    const output = (await read(applyOutputName)).split('\n').map((line) => parseEvent(line).text);
    const text = [lostTouch, ...output, await read(applyErrorsName)].join('\n');
    await store.addLog(runId, Buffer.from(mask(text)));
  } catch (error) {
    // Refused for good: the plan is gone, or it is too late.
    if (!(error instanceof ApplicationFailure)) throw error;
  }
}

const lostTouch = 'Contact with this apply was lost. This is what Terraform wrote.';
