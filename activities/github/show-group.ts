// How do the checks of a merge group get onto its commit? What stands there is remembered by the group's workflow.
import type { Check } from '../../workflows/model/check.ts';
import type { GroupView, WrittenCheck } from '../../workflows/model/merge-group-checks.ts';
import { renderGroupCheck } from '../render/group.ts';
import type { GitHub } from './client.ts';
import { translate } from './failures.ts';
import { doWrites } from './mutation.ts';
import { recoverSurfaces } from './recover.ts';
import type { Due, WantedCheck } from './surfaces.ts';
import { dueCheck } from './surfaces.ts';

/** `attempt` above 1: what the last attempt wrote is not remembered, so GitHub is asked before anything is made. */
export async function showGroup(
  deps: { readonly github: GitHub; readonly appId: number },
  request: { readonly view: GroupView; readonly written: readonly WrittenCheck[] },
  attempt: number,
): Promise<readonly WrittenCheck[]> {
  const { view } = request;
  const { repository, headSha, number } = view.group;
  const written =
    attempt > 1
      ? await recoverSurfaces(deps, { repository, number }, headSha, request.written)
      : request.written;
  const due = view.checks.flatMap((check) => {
    const wanted = wantedCheck(check, view);
    const one = dueCheck(
      repository.nodeId,
      wanted,
      written.find(({ key }) => key === wanted.key),
    );
    return one === null ? [] : [one];
  });
  const done = await write(deps.github, view, due);
  return [...written.filter((before) => !done.some(({ key }) => key === before.key)), ...done];
}

/** The external id is none of a pull request's: a click or a re-run leads nowhere. */
function wantedCheck(check: Check, view: GroupView): WantedCheck {
  const { headSha } = view.group;
  const completed = check.state.status === 'completed' ? check.state.conclusion : null;
  return {
    ...renderGroupCheck(check, view),
    key: `check:${headSha}:${check.name}`,
    sha: headSha,
    name: check.name,
    externalId: `group:${view.runId}`,
    detailsUrl: null,
    status: check.state.status.toUpperCase() as WantedCheck['status'],
    conclusion: completed === null ? null : completed.toUpperCase(),
  };
}

/** Throws when GitHub refused one: the next attempt looks at what is there. */
async function write(
  github: GitHub,
  { group }: GroupView,
  due: readonly Due[],
): Promise<readonly WrittenCheck[]> {
  if (due.length === 0) return [];
  const writes = due.map((each) => each.write);
  const results = await doWrites(github, group.repository.installationId, writes);
  const failed = results.flatMap((result) => (result.kind === 'failed' ? [result.error] : []));
  const [first] = failed;
  if (first !== undefined)
    throw translate(`the checks of ${group.headSha}`, { errors: failed, message: first.message });
  return due.flatMap(({ surface }, index) => {
    const result = results[index];
    return result?.kind === 'done' ? [{ ...surface, nodeId: result.nodeId, at: result.at }] : [];
  });
}
