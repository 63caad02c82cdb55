// How does a picture get to GitHub? Only what differs is written, in one mutation, and remembered.
import type { Logger } from 'pino';
import type { Check } from '../../workflows/model/check.ts';
import { externalIdOf } from '../../workflows/model/check.ts';
import type { RunId } from '../../workflows/model/identifiers.ts';
import type { PullRequestRef } from '../../workflows/model/repository.ts';
import { statesOf, worstState } from '../../workflows/model/shared-head.ts';
import type { View } from '../../workflows/model/view.ts';
import type { Answer, Shown } from '../../workflows/port/answer.ts';
import type { RenderedCheck } from '../render/checks.ts';
import type { Links } from '../render/links.ts';
import { withNeighbours } from '../render/neighbours.ts';
import type { Silence } from '../render/silence.ts';
import { withSilence } from '../render/silence.ts';
import type { ShownRun } from '../store/run.ts';
import type { GitHub, GraphqlError } from './client.ts';
import { dueAnswers } from './due-answers.ts';
import { translate } from './failures.ts';
import type { WriteResult } from './mutation.ts';
import { writeBatches } from './mutation.ts';
import { recoverSurfaces } from './recover.ts';
import type { Renderer } from './renderer.ts';
import type { Company, createCommitTurns, HeadDependencies, HeadMemory } from './shared-head.ts';
import { checkKey, meetCompany, shareSurfaces } from './shared-head.ts';
import { brokenRuns, shownRuns, shownRunsOf } from './shown-runs.ts';
import { findSilence, noteSilence, silenceOf } from './silence.ts';
import type { Due, Surface, SurfaceMemory, WantedCheck } from './surfaces.ts';
import { dueCancel, dueCheck, dueComment } from './surfaces.ts';

export type ShowDependencies = {
  readonly github: GitHub;
  readonly memory: SurfaceMemory;
  readonly heads: HeadMemory;
  readonly tellPullRequest: HeadDependencies['tellPullRequest'];
  readonly inCommitTurn: ReturnType<typeof createCommitTurns>;
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
export function showView(deps: ShowDependencies, request: ShowRequest, attempt: number): Promise<Shown> {
  return deps.inCommitTurn(request.view, () => showInTurn(deps, request, attempt));
}

type ShowRequest = { readonly view: View; readonly answers: readonly Answer[] };

async function showInTurn(
  deps: ShowDependencies,
  { view, answers }: ShowRequest,
  attempt: number,
): Promise<Shown> {
  const ref = { repository: view.repository, number: view.number };
  const [remembered, heads, addresses] = await Promise.all([
    deps.memory.read(ref),
    deps.heads.read(ref, view.sha),
    deps.runAddresses(ref, shownRuns(view)),
  ]);
  const company = await meetCompany(deps, view, remembered, heads);
  const surfaces =
    attempt > 1 ? await recoverSurfaces(deps, ref, view.sha, company.surfaces) : company.surfaces;
  const picture = { view, links: linksOf(view, addresses), company };
  // People who asked come first: a large picture takes several requests, and each may have to wait for its turn.
  const due = [...dueAnswers(view.nodeId, answers, surfaces), ...(await dueOfView(deps, picture, surfaces))];
  const { done, failures } = await write(deps, picture, due);
  await tellSilence(deps, picture, surfaces, { done, failures });
  await settleFailures(deps, ref, failures);
  const comment = done.find(isComment) ?? surfaces.find(isComment);
  return { at: view.comment ? (comment?.at ?? null) : null };
}

type Picture = { readonly view: View; readonly links: Links; readonly company: Company };

/** Where the comment is not taken, or is taken again, a check says so: it was drawn before that was known. */
async function tellSilence(
  deps: ShowDependencies,
  picture: Picture,
  surfaces: readonly Surface[],
  { done, failures }: Written,
): Promise<void> {
  const { view } = picture;
  const ref = { repository: view.repository, number: view.number };
  const refused = failures.some((failure) => failure.key === 'comment' && isRefused(failure));
  const silence = refused ? await findSilence(deps.github, view) : null;
  if (silence === silenceOf(surfaces)) return;
  await noteSilence(deps.memory, ref, silence);
  const known = [...surfaces.filter(({ key }) => !done.some((fresh) => fresh.key === key)), ...done];
  const again = await write(deps, picture, await dueChecks(deps, picture, known, silence));
  await settleFailures(deps, ref, again.failures);
}

const isComment = ({ key }: Surface): boolean => key === 'comment';

/** Answers without a picture. */
export async function giveAnswers(
  deps: ShowDependencies,
  request: { readonly ref: PullRequestRef; readonly nodeId: string; readonly answers: readonly Answer[] },
): Promise<void> {
  const surfaces = await deps.memory.read(request.ref);
  const due = dueAnswers(request.nodeId, request.answers, surfaces);
  const { failures } = await writeAll(deps, request.ref, due);
  await settleFailures(deps, request.ref, failures);
}

async function dueOfView(
  deps: ShowDependencies,
  picture: Picture,
  surfaces: readonly Surface[],
): Promise<readonly Due[]> {
  const { view, links } = picture;
  const known = surfaces.find(isComment);
  const body = view.comment ? await deps.render(view, links).comment() : null;
  const comment = body === null ? null : dueComment(view.nodeId, body, known);
  const silence = comment === null ? null : silenceOf(surfaces);
  const checks = await dueChecks(deps, picture, surfaces, silence);
  // The comment first: whoever sees a check turn can already read what it is about.
  return comment === null ? checks : [comment, ...checks];
}

async function dueChecks(
  deps: ShowDependencies,
  { view, links, company }: Picture,
  surfaces: readonly Surface[],
  silence: Silence | null,
): Promise<readonly Due[]> {
  const texts = deps.render(view, links);
  const find = (key: string): Surface | undefined => surfaces.find((surface) => surface.key === key);
  const checks: WantedCheck[] = [];
  for (const check of view.checks) {
    if (company.ceded.has(checkKey(view.sha, check.name))) continue;
    const own = withNeighbours(check, await texts.check(check), view, company.neighbours);
    const state = worstState(check.state, statesOf(check.name, company.neighbours));
    checks.push(wantedCheck({ ...check, state }, view, withSilence(check, own, silence), links));
  }
  const wantedKeys = new Set(checks.map(({ key }) => key));
  const orphans = surfaces.filter(({ key, open }) => open && !wantedKeys.has(key) && !company.ceded.has(key));
  return [
    ...checks.map((wanted) => dueCheck(view.repository.nodeId, wanted, find(wanted.key))),
    ...orphans.map((surface) => dueCancel(view.repository.nodeId, surface)),
  ].filter((due) => due !== null);
}

function wantedCheck(check: Check, view: View, rendered: RenderedCheck, links: Links): WantedCheck {
  const completed = check.state.status === 'completed' ? check.state.conclusion : null;
  return {
    ...rendered,
    key: checkKey(view.sha, check.name),
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

type Failure = { readonly key: string; readonly error: GraphqlError };
type Written = { readonly done: readonly Surface[]; readonly failures: readonly Failure[] };

async function write(
  deps: ShowDependencies,
  { view, company }: Picture,
  due: readonly Due[],
): Promise<Written> {
  const written = await writeAll(deps, { repository: view.repository, number: view.number }, due);
  await shareSurfaces(deps.memory, view, company.neighbours, written.done);
  return written;
}

async function writeAll(deps: ShowDependencies, ref: PullRequestRef, due: readonly Due[]): Promise<Written> {
  const writes = due.map((each) => each.write);
  const results: WriteResult[] = [];
  const done: Surface[] = [];
  for await (const batch of writeBatches(deps.github, ref.repository.installationId, writes)) {
    const written = doneOf(due.slice(results.length), batch);
    await deps.memory.save(ref, written);
    done.push(...written);
    results.push(...batch);
  }
  const failures = results.flatMap((result, index) => {
    const key = due[index]?.surface.key;
    return result.kind === 'failed' && key !== undefined ? [{ key, error: result.error }] : [];
  });
  return { done, failures };
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
  failures: readonly Failure[],
): Promise<void> {
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
const isAnswerRefused = (failure: Failure): boolean => failure.key.startsWith('reply:') && isRefused(failure);

const isRefused = ({ error }: Failure): boolean => ['FORBIDDEN', 'UNPROCESSABLE'].includes(error.type);

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
