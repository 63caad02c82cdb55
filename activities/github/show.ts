// How does a picture get to GitHub? Only what differs is written, in one mutation, and remembered.
import type { Logger } from 'pino';
import type { Check } from '../../workflows/model/check.ts';
import { externalIdOf } from '../../workflows/model/check.ts';
import type { RunId } from '../../workflows/model/identifiers.ts';
import type { PullRequestRef } from '../../workflows/model/repository.ts';
import type { View } from '../../workflows/model/view.ts';
import type { Answer, Shown } from '../../workflows/port/answer.ts';
import type { RenderedCheck } from '../render/checks.ts';
import type { Links } from '../render/links.ts';
import { renderReply } from '../render/reply.ts';
import type { ShownRun } from '../store/run.ts';
import type { GitHub } from './client.ts';
import { translate } from './failures.ts';
import type { WriteResult } from './mutation.ts';
import { writeBatches } from './mutation.ts';
import { recoverSurfaces } from './recover.ts';
import type { Renderer } from './renderer.ts';
import { brokenRuns, shownRuns, shownRunsOf } from './shown-runs.ts';
import type { Due, Surface, WantedCheck } from './surfaces.ts';
import { dueCancel, dueCheck, dueComment, hashOf } from './surfaces.ts';

/** What is remembered between pictures of what was written where. */
export type SurfaceMemory = {
  read(ref: PullRequestRef): Promise<readonly Surface[]>;
  save(ref: PullRequestRef, surfaces: readonly Surface[]): Promise<void>;
  /** The thing is gone from GitHub: it has to be made anew. */
  forget(ref: PullRequestRef, keys: readonly string[]): Promise<void>;
};

export type ShowDependencies = {
  readonly github: GitHub;
  readonly memory: SurfaceMemory;
  readonly render: Renderer;
  readonly appId: number;
  readonly log: Pick<Logger, 'warn'>;
  /** Addresses of the pages of runs; those without one stay without a link. */
  readonly runAddresses: (
    ref: PullRequestRef,
    runs: readonly ShownRun[],
  ) => Promise<ReadonlyMap<RunId, string>>;
};

/** `attempt` above 1: what the last attempt wrote may not be remembered, so GitHub is asked before anything is made. */
export async function showView(
  deps: ShowDependencies,
  request: { readonly view: View; readonly answers: readonly Answer[] },
  attempt: number,
): Promise<Shown> {
  const { view, answers } = request;
  const ref = { repository: view.repository, number: view.number };
  const [remembered, addresses] = await Promise.all([
    deps.memory.read(ref),
    deps.runAddresses(ref, shownRuns(view)),
  ]);
  const surfaces = attempt > 1 ? await recoverSurfaces(deps, ref, view.sha, remembered) : remembered;
  // People who asked come first: a large picture takes several requests, and each may have to wait for its turn.
  const due = [
    ...dueAnswers(view.nodeId, answers, surfaces),
    ...(await dueOfView(deps, view, surfaces, linksOf(view, addresses))),
  ];
  const written = await write(deps, ref, due);
  const comment = written.find(isComment) ?? surfaces.find(isComment);
  return { at: view.comment ? (comment?.at ?? null) : null };
}

const isComment = ({ key }: Surface): boolean => key === 'comment';

/** Answers without a picture. */
export async function giveAnswers(
  deps: ShowDependencies,
  request: { readonly ref: PullRequestRef; readonly nodeId: string; readonly answers: readonly Answer[] },
): Promise<void> {
  const surfaces = await deps.memory.read(request.ref);
  await write(deps, request.ref, dueAnswers(request.nodeId, request.answers, surfaces));
}

async function dueOfView(
  deps: ShowDependencies,
  view: View,
  surfaces: readonly Surface[],
  links: Links,
): Promise<readonly Due[]> {
  const texts = deps.render(view, links);
  const find = (key: string): Surface | undefined => surfaces.find((surface) => surface.key === key);
  const comment = view.comment ? dueComment(view.nodeId, await texts.comment(), find('comment')) : null;
  const checks: WantedCheck[] = [];
  for (const check of view.checks) checks.push(wantedCheck(check, view, await texts.check(check), links));
  const wantedKeys = new Set(checks.map(({ key }) => key));
  const orphans = surfaces.filter(({ key, open }) => open && !wantedKeys.has(key));
  // The comment first: whoever sees a check turn can already read what it is about.
  return [
    comment,
    ...checks.map((wanted) => dueCheck(view.repository.nodeId, wanted, find(wanted.key))),
    ...orphans.map((surface) => dueCancel(view.repository.nodeId, surface)),
  ].filter((due) => due !== null);
}

function wantedCheck(check: Check, view: View, rendered: RenderedCheck, links: Links): WantedCheck {
  const completed = check.state.status === 'completed' ? check.state.conclusion : null;
  return {
    ...rendered,
    key: `check:${view.sha}:${check.name}`,
    sha: view.sha,
    name: check.name,
    externalId: externalIdOf(view.number, view.roundId),
    detailsUrl: runAddress(view, check.project, links),
    status: check.state.status.toUpperCase() as WantedCheck['status'],
    conclusion: completed === null ? null : completed.toUpperCase(),
  };
}

/** The page of the run that the check is about now. */
function runAddress(view: View, name: string | null, links: Links): string | null {
  const project = view.projects.find((candidate) => candidate.name === name);
  const run = (project === undefined ? brokenRuns(view) : shownRunsOf(project)).at(-1);
  return run === undefined ? null : links.run(run.id);
}

/** A reaction and a reply per answer; the reply's hidden mark tells it from any other after a lost response. */
function dueAnswers(
  subjectId: string,
  answers: readonly Answer[],
  surfaces: readonly Surface[],
): readonly Due[] {
  const due = answers.flatMap(({ id, commentNodeId, reaction, reply }) => {
    const surface = (kind: string) => ({
      key: `${kind}:${id}`,
      hash: hashOf(id),
      annotationsHash: '',
      open: false,
    });
    const reactionDue: Due[] =
      reaction === null || commentNodeId === null
        ? []
        : [
            {
              write: { field: 'addReaction', input: { subjectId: commentNodeId, content: reaction } },
              surface: surface('reaction'),
            },
          ];
    const body = reply === null ? null : `${replyMark(id)}\n${renderReply(reply)}`;
    const replyDue: Due[] =
      body === null
        ? []
        : [{ write: { field: 'addComment', input: { subjectId, body } }, surface: surface('reply') }];
    return [...reactionDue, ...replyDue];
  });
  return due.filter(
    ({ surface }) => !surfaces.some((known) => known.key === surface.key || isRecovered(known, surface)),
  );
}

/** A reply found on GitHub after a lost answer is known by its mark only. */
const isRecovered = (known: Surface, wanted: Due['surface']): boolean =>
  known.key === 'reply' && wanted.key.startsWith('reply:') && known.hash === wanted.hash;

const replyMark = (id: string): string => `<!-- hatchet:reply ${hashOf(id)} -->`;

async function write(
  deps: ShowDependencies,
  ref: PullRequestRef,
  due: readonly Due[],
): Promise<readonly Surface[]> {
  const writes = due.map((each) => each.write);
  const results: WriteResult[] = [];
  const done: Surface[] = [];
  for await (const batch of writeBatches(deps.github, ref.repository.installationId, writes)) {
    const written = doneOf(due.slice(results.length), batch);
    await deps.memory.save(ref, written);
    done.push(...written);
    results.push(...batch);
  }
  await settleFailures(deps, ref, due, results);
  return done;
}

function doneOf(due: readonly Due[], results: readonly WriteResult[]): readonly Surface[] {
  return results.flatMap((result, index) => {
    const surface = due[index]?.surface;
    return result.kind === 'done' && surface !== undefined
      ? [{ ...surface, nodeId: result.nodeId, at: result.at }]
      : [];
  });
}

/** What vanished on GitHub is made anew by the next attempt; any other refusal is the operator's to know. */
async function settleFailures(
  deps: ShowDependencies,
  ref: PullRequestRef,
  due: readonly Due[],
  results: readonly WriteResult[],
): Promise<void> {
  const failures = results.flatMap((result, index) => {
    const key = due[index]?.surface.key;
    return result.kind === 'failed' && key !== undefined ? [{ key, error: result.error }] : [];
  });
  const refused = failures.filter(isAnswerRefused);
  for (const { key, error } of refused)
    deps.log.warn({ pullRequest: ref.number, answer: key, reason: error.message }, 'GitHub takes no answer');
  const serious = failures.filter((each) => !each.key.startsWith('reaction:') && !refused.includes(each));
  const gone = serious.filter(({ error }) => error.type === 'NOT_FOUND').map(({ key }) => key);
  if (gone.length > 0) await deps.memory.forget(ref, gone);
  const [first] = serious;
  if (first === undefined) return;
  if (gone.length > 0) throw new Error(`GitHub no longer has ${gone.join(', ')}`);
  throw translate(first.key, { errors: serious.map(({ error }) => error), message: first.error.message });
}

/** In a locked conversation, for example. Whoever asked hears nothing, however often it is tried: the checks tell. */
const isAnswerRefused = ({
  key,
  error,
}: {
  readonly key: string;
  readonly error: { readonly type: string };
}) => key.startsWith('reply:') && ['FORBIDDEN', 'UNPROCESSABLE'].includes(error.type);

function linksOf(view: View, runs: ReadonlyMap<RunId, string>): Links {
  const { repository, number, sha, head } = view;
  const page = repository.webUrl;
  const checks = sha === head ? `${page}/pull/${number}/checks?sha=${sha}` : `${page}/commit/${sha}/checks`;
  // A pull request of many projects has no check for each of them.
  const there = new Set(view.checks.map(({ name }) => name));
  return {
    check: (name) => (there.has(name) ? checks : null),
    run: (id) => runs.get(id) ?? null,
    commit: (commit) => `${page}/commit/${commit}`,
  };
}
