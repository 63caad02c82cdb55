// Who hears what happens to a project?
import { log } from '@temporalio/workflow';
import type { ProjectNews, RepositoryNews } from './messages.ts';
import type { ApplyOutcome } from './model/apply.ts';
import type { RunId } from './model/identifiers.ts';
import type { ApplyRequest, Lock, WaitingRequest } from './model/lock.ts';
import type { Office } from './office.ts';
import { endApply, isApplyTaken, tellNews, tellRepository } from './proxies.ts';

/**
 * The record first, then whoever asked, and everybody else where something was changed. Should the record not take it,
 * they are told all the same: the fence row then says that nobody knows, and nothing runs over it.
 */
export async function tellEnd(office: Office, request: ApplyRequest, outcome: ApplyOutcome): Promise<void> {
  const { replyTo, runId } = request;
  const news = over(request, outcome);
  const partly = outcome.kind === 'failed' && outcome.done > 0;
  const changed = outcome.kind === 'applied' || partly ? changeBy(request) : null;
  const entries = office.records;
  office.records = [];
  try {
    await endApply({ runId, outcome, told: { workflowId: replyTo, news }, changed, entries });
  } catch (error) {
    log.error('the outcome of an apply could not be recorded', { runId, error });
    office.records = [...entries, ...office.records];
    await tell(request, news);
    if (changed !== null) await tellOthers(request);
  }
}

const changeBy = ({ ref, grant, dependents }: ApplyRequest): RepositoryNews => ({
  kind: 'applied',
  repository: ref.repository,
  project: grant.project.name,
  ...(dependents === undefined ? {} : { dependents }),
  number: ref.number,
});

/** Other pull requests that plan the project, or what comes after it, have to look again. */
export async function tellOthers(request: ApplyRequest): Promise<void> {
  const { grant } = request;
  try {
    await tellRepository(changeBy(request));
  } catch (error) {
    log.error('nobody was told that a project changed', { project: grant.project.name, error });
  }
}

export async function tellWaiting(office: Office): Promise<void> {
  const { owner, queue } = office.lock;
  office.told = queue.flatMap((each) => (isApply(each) ? [each.runId] : []));
  if (owner === null) return;
  await Promise.all(
    queue.map((request, index) => {
      const position = index + 1;
      if (request.kind === 'turn')
        return tell(request, { kind: 'behind', project: request.project, owner, position });
      const { grant, runId } = request;
      return tell(request, { kind: 'queued', project: grant.project.name, runId, owner, position });
    }),
  );
}

/** A runner may have it, as anybody could say: the record knows. Until then nothing was being applied. */
export async function tellTaken(office: Office): Promise<void> {
  const { running } = office.lock;
  if (running === null) return;
  const { grant, runId } = running;
  if ((await isTakenOrLog(runId)) && office.lock.running === running)
    await tell(running, { kind: 'applying', project: grant.project.name, runId });
}

/** While the record is away nobody reads that it goes on, and its end waits for nothing. */
async function isTakenOrLog(runId: RunId): Promise<boolean> {
  try {
    return await isApplyTaken({ runId });
  } catch (error) {
    log.warn('whether a runner has an apply could not be read', { runId, error });
    return false;
  }
}

/** Who gives up a mere turn knows that it did; who asked for an apply has to hear what came of it. */
export async function refuseWaiting(lock: Lock, number: number): Promise<void> {
  const waiting = lock.queue.filter(({ ref }) => ref.number === number);
  await Promise.all(
    waiting.filter(isApply).map((request) =>
      tell(
        request,
        over(request, {
          kind: 'refused',
          refusal: { kind: 'withdrawn', project: request.grant.project.name },
        }),
      ),
    ),
  );
}

const isApply = (request: WaitingRequest): request is ApplyRequest => request.kind === 'apply';

export const over = (request: ApplyRequest, outcome: ApplyOutcome): ProjectNews => ({
  kind: 'finished',
  project: request.grant.project.name,
  runId: request.runId,
  outcome,
});

/** Is the pull request's workflow gone? The record and the lock are what counts. */
export async function tell(
  request: Pick<WaitingRequest, 'replyTo'>,
  news: ProjectNews,
): Promise<'told' | 'gone'> {
  try {
    return (await tellNews({ workflowId: request.replyTo, news })).heard ? 'told' : 'gone';
  } catch (error) {
    log.warn('nobody heard the news', { workflow: request.replyTo, error });
    return 'told';
  }
}
