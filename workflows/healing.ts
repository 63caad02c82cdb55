// What does the schedule do: what did GitHub not get across, and how is it said again?
import { log, setHandler, uuid4 } from '@temporalio/workflow';
import { installationSignal } from './messages.ts';
import type { Loss } from './port/healing.ts';
import { findLosses, noteLook, redeliverFailed, setRight } from './proxies.ts';

/** Started by the schedule, and by GitHub's word that the App is installed elsewhere than before (signalWithStart). */
export async function healWorkflow(): Promise<void> {
  let listAnew = false;
  setHandler(installationSignal, () => {
    listAnew = true;
  });
  do {
    const anew = listAnew;
    listAnew = false;
    await look(anew);
  } while (listAnew);
}

/** What fails is found again by the next look: that one begins where this one did. */
async function look(listAnew: boolean): Promise<void> {
  const at = await askAgain();
  try {
    const { losses, ...looked } = await findLosses({ lookId: uuid4(), at, listAnew });
    let failures = 0;
    for (const loss of losses) if (!(await tried(loss))) failures += 1;
    if (failures === 0) await noteLook(looked);
  } catch (error) {
    log.error('nobody could look for what was lost', { error });
  }
}

/** The time on GitHub's clock, or ours where GitHub does not tell. */
async function askAgain(): Promise<string> {
  try {
    const { at } = await redeliverFailed();
    return at;
  } catch (error) {
    log.warn('GitHub could not be asked for what it did not deliver', { error });
    return new Date().toISOString();
  }
}

async function tried(loss: Loss): Promise<boolean> {
  try {
    await setRight(loss);
    return true;
  } catch (error) {
    log.error('what was lost could not be set right', { kind: loss.kind, error });
    return false;
  }
}
