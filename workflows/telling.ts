// Who hears what happens to a project?
import { log } from '@temporalio/workflow';
import type { ProjectNews } from './messages.ts';
import type { ApplyOutcome } from './model/apply.ts';
import type { ApplyRequest, Lock, WaitingRequest } from './model/lock.ts';
import type { Office } from './office.ts';
import { tellNews, tellRepository } from './proxies.ts';

/** Behind the work: other pull requests that plan the project have to look again. */
export async function tellOthers({ ref, grant }: ApplyRequest): Promise<void> {
  const { repository, number } = ref;
  try {
    await tellRepository({ kind: 'applied', repository, project: grant.project.name, number });
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

/** A runner has it: until then nothing was being applied. */
export async function tellTaken({ lock: { running } }: Office): Promise<void> {
  if (running === null) return;
  const { grant, runId } = running;
  await tell(running, { kind: 'applying', project: grant.project.name, runId });
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

/** The pull request's workflow may be gone; the record and the lock are what counts. */
export async function tell(request: Pick<WaitingRequest, 'replyTo'>, news: ProjectNews): Promise<void> {
  try {
    await tellNews({ workflowId: request.replyTo, news });
  } catch (error) {
    log.warn('nobody heard the news', { workflow: request.replyTo, error });
  }
}
