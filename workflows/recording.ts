// When are facts written into the record? Beside the work: nobody waits for them but the end of a workflow.
import { condition, log } from '@temporalio/workflow';
import type { RecordEntry } from './port/record.ts';
import { record } from './proxies.ts';

/** Who has facts that are still to be recorded. */
type Recorder = { records: RecordEntry[] };

/** Whatever happens meanwhile, facts of a moment ago are in the record. */
const longestDelay = '2 seconds';

/**
 * Each write is a step of the workflow, in which it does nothing else: it waits until nobody waits for the next step.
 * `isBusy`: somebody does.
 */
export async function keepRecording(recorder: Recorder, isBusy: () => boolean): Promise<never> {
  for (;;) {
    await condition(() => recorder.records.length > 0);
    if (isBusy()) await condition(() => !isBusy(), longestDelay);
    const entries = [...recorder.records];
    // Somebody else had a step to do and took them along.
    if (entries.length === 0) continue;
    try {
      await record({ entries });
    } catch (error) {
      log.error('facts could not be recorded', { facts: entries.length, error });
    }
    recorder.records = recorder.records.filter((entry) => !entries.includes(entry));
  }
}
