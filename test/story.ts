// How do tests tell what people do on a pull request, and wait for what they are shown?
import postgres from 'postgres';
import { vi } from 'vitest';
import type { CheckRun, IssueComment } from '../fixtures/sandbox/model.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import type { RepositoryHandle } from '../fixtures/sandbox/repository-handle.ts';
import { normalize } from './normalize.ts';
import type { World } from './world.ts';

/** A plan takes a second or two alone; many of them share few processors here. */
export const patienceMs = 90_000;
/** A test is a chain of several such waits. */
export const storyTimeoutMs = 240_000;

type Opening = {
  /** Directory of the project: each test has its own, so that they do not disturb each other. */
  readonly dir: string;
  readonly body: string;
  /** Default: @mona. */
  readonly author?: string;
  readonly base?: string;
  readonly draft?: boolean;
  /** Default: the directory's name. Two pull requests on one project need two. */
  readonly head?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly fromFork?: RepositoryHandle;
};

/** Opens a pull request that gives one project this code. */
export function openOn(world: World, opening: Opening): Promise<PullRequestHandle> {
  const { dir, body, author = 'mona', head = dir, files, ...rest } = opening;
  return world.repository.openPullRequest({
    title: `Change ${dir}`,
    author,
    head,
    files: { [`${dir}/main.tf`]: world.project(dir, body), ...files },
    ...rest,
  });
}

/** Waits until the newest check of that name is completed with this title. */
export function untilCheck(
  pullRequest: PullRequestHandle,
  name: string,
  title: string,
  sha?: string,
): Promise<CheckRun> {
  return pullRequest.waitForCheck(name, {
    status: 'completed',
    matching: (run) => run.title === title,
    timeoutMs: patienceMs,
    ...(sha === undefined ? {} : { sha }),
  });
}

/** Waits until the comment that Hatchet keeps says this, and every write of that picture is done. */
export async function untilComment(pullRequest: PullRequestHandle, words: string): Promise<IssueComment> {
  return pullRequest.waitForComment((one) => isMain(one) && one.body.includes(words), {
    what: `a comment that says ${JSON.stringify(words)}`,
    timeoutMs: patienceMs,
  });
}

/** The one comment, normalized; an error when there is none or more than one. */
export function mainComment(pullRequest: PullRequestHandle): string {
  const [first, ...others] = pullRequest.comments().filter(isMain);
  if (first === undefined || others.length > 0)
    throw new Error(`there are ${others.length + (first === undefined ? 0 : 1)} comments`);
  return normalize(first.body);
}

/** The comment's first line of text: the state and who has to act. */
export function headline(pullRequest: PullRequestHandle): string {
  return mainComment(pullRequest).split('\n')[1] ?? '';
}

const isMain = ({ viaApp, body }: IssueComment): boolean => viaApp && body.startsWith('<!-- hatchet:pr -->');

export type Answered = { readonly reaction: string; readonly reply: string | null };

/** Writes a command and waits for the answer to it. */
export async function ask(
  world: World,
  pullRequest: PullRequestHandle,
  by: string,
  body: string,
): Promise<Answered> {
  const before = replies(pullRequest).length;
  const comment = pullRequest.comment(by, body);
  const answered = (): Answered | null => {
    const reaction = pullRequest.reactions(comment).find((one) => one === 'eyes' || one === 'confused');
    const reply = replies(pullRequest)[before] ?? null;
    const complete = reaction === 'eyes' ? !expectsReply.test(body) || reply !== null : reply !== null;
    return reaction !== undefined && complete ? { reaction, reply } : null;
  };
  return world.sandbox.waitFor(answered, {
    what: `an answer to ${JSON.stringify(body)}`,
    timeoutMs: patienceMs,
  });
}

const expectsReply = /^\/hatchet(?: +(?:help|status))?$/i;

/** What Hatchet answered to people, normalized, oldest first. */
export function replies(pullRequest: PullRequestHandle): readonly string[] {
  return pullRequest
    .comments()
    .filter((one) => one.viaApp && !isMain(one))
    .map(({ body }) => normalize(body));
}

/** Clicks a button by its label. */
export function click(pullRequest: PullRequestHandle, check: CheckRun, label: string, by: string): void {
  const action = check.actions.find((one) => one.label === label);
  if (action === undefined) throw new Error(`${check.name} has no button ${label}`);
  pullRequest.clickButton(check, action.identifier, by);
}

/** A plan that replaced another counts as shown from the next second of GitHub's clock on. */
export async function untilSecondAfter(comment: IssueComment): Promise<void> {
  const second = (time: number): number => Math.floor(time / 1_000);
  await vi.waitUntil(() => second(Date.now()) > second(Date.parse(comment.updatedAt)), { timeout: 5_000 });
}

/** Every check of the repository that is not completed: at the end there must be none. */
export function openChecks({ repository }: World): readonly string[] {
  return repository.data.checkSuites
    .flatMap((suite) => suite.runs)
    .filter((run) => run.status !== 'completed')
    .map((run) => `${run.name} on ${run.headSha}: ${run.status}, ${run.title}`);
}

export type RecordedApply = { readonly number: number; readonly state: string };

/** The applies of a project that were ever begun, oldest first. */
export async function appliesOf(world: World, dir: string): Promise<readonly RecordedApply[]> {
  const sql = postgres(world.databaseUrl, { max: 1 });
  try {
    return await sql<RecordedApply[]>`select number, state from apply where dir = ${dir} order by begun_at`;
  } finally {
    await sql.end();
  }
}
