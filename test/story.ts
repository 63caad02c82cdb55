// How do tests tell what people do on a pull request, and wait for what they are shown?
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import postgres from 'postgres';
import { vi } from 'vitest';
import type { CheckRun, IssueComment } from '../fixtures/sandbox/model.ts';
import type { PullRequestHandle } from '../fixtures/sandbox/pull-request-handle.ts';
import type { RepositoryHandle } from '../fixtures/sandbox/repository-handle.ts';
import { normalize } from './normalize.ts';
import type { World } from './world.ts';

/** A plan takes a second or two alone; many of them share few processors here. */
export const patienceMs = 60_000;
/** A test is a chain of several such waits. */
export const storyTimeoutMs = 180_000;

type Opening = {
  /** Directory of the project: each test has its own, so that they do not disturb each other. */
  readonly dir: string;
  readonly body: string;
  /** Where the state is, when not in a file of the world: a `terraform` block. */
  readonly backend?: string;
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
  const { dir, body, backend, author = 'mona', head = dir, files, ...rest } = opening;
  const code = backend === undefined ? world.project(dir, body) : `${backend}\n${body}\n`;
  return world.repository.openPullRequest({
    title: `Change ${dir}`,
    author,
    head,
    files: { [`${dir}/main.tf`]: code, ...files },
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

/** Waits until the checks of these projects, the last to be written, are of the same round as the aggregates. */
export async function untilWritten(
  pullRequest: PullRequestHandle,
  projects: readonly string[],
  sha?: string,
): Promise<readonly CheckRun[]> {
  for (const project of projects) {
    await pullRequest.waitForCheck(`hatchet/plan: ${project}`, {
      status: 'completed',
      matching: (run) => run.externalId === pullRequest.check('hatchet/apply', sha).externalId,
      timeoutMs: patienceMs,
      ...(sha === undefined ? {} : { sha }),
    });
  }
  return pullRequest.checks(sha);
}

/** Waits until the comment that Hatchet keeps says this. */
export async function untilComment(pullRequest: PullRequestHandle, words: string): Promise<IssueComment> {
  return pullRequest.waitForComment((one) => isMain(one) && one.body.includes(words), {
    what: `a comment that says ${JSON.stringify(words)}`,
    timeoutMs: patienceMs,
  });
}

/** The last thing that is written of a plan that needs nobody's yes. */
export async function untilReady(pullRequest: PullRequestHandle): Promise<void> {
  await untilCheck(pullRequest, 'hatchet/apply', 'Approved, applies on merge');
  await untilComment(pullRequest, 'Ready');
}

/** Opens a pull request that needs nobody's yes, and waits until its plan is on show. */
export async function openReady(world: World, opening: Opening): Promise<PullRequestHandle> {
  const pullRequest = await openOn(world, opening);
  await untilReady(pullRequest);
  return pullRequest;
}

/** The hatchet.yaml of `main` where pull requests against other branches are applied, too. */
export const everyBranch = { 'hatchet.yaml': "version: 1\nbranches: ['**']\n" };

/** A base branch of its own: what a test pushes to it concerns nobody else. */
export async function branchOff(
  world: World,
  name: string,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  await world.repository.commit(name, { files: { [`${name}.md`]: '', ...files }, from: 'main' });
  return name;
}

/** One comment, and no name twice among the checks of a head: holds until an apply opens its check anew. */
export function expectNothingTwice(pullRequest: PullRequestHandle): void {
  mainComment(pullRequest);
  const names = pullRequest.allChecks().map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) throw new Error(`checks that are there twice: ${twice.join(', ')}`);
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

/** Writes a command that is to be accepted without a word; an error with the answer when it is refused. */
export async function order(pullRequest: PullRequestHandle, by: string, body: string): Promise<void> {
  const answer = await askUntil(pullRequest, by, body, ({ reaction }) => reaction !== null);
  if (answer.reaction === 'confused') throw new Error(`${body} by ${by} was refused: ${answer.reply}`);
}

export type Answered = { readonly reaction: string | null; readonly reply: string | null };

/** Writes a command that is answered by a reply, and waits for both. */
export async function ask(pullRequest: PullRequestHandle, by: string, body: string): Promise<Answered> {
  return askUntil(pullRequest, by, body, ({ reaction, reply }) => reaction !== null && reply !== null);
}

async function askUntil(
  pullRequest: PullRequestHandle,
  by: string,
  body: string,
  enough: (answer: Answered) => boolean,
): Promise<Answered> {
  const before = replies(pullRequest).length;
  const comment = pullRequest.comment(by, body);
  const answer = (): Answered => ({
    reaction: pullRequest.reactions(comment).find((one) => one === 'eyes' || one === 'confused') ?? null,
    reply: replies(pullRequest)[before] ?? null,
  });
  const complete = (): boolean => enough(answer());
  await vi.waitUntil(complete, { timeout: patienceMs, interval: 20 }).catch((error: unknown) => {
    throw new Error(`no answer to ${JSON.stringify(body)} by ${by}: ${JSON.stringify(answer())}`, {
      cause: error,
    });
  });
  return answer();
}

/** What Hatchet answered to people, normalized, oldest first. */
export function replies(pullRequest: PullRequestHandle): readonly string[] {
  return pullRequest
    .comments()
    .filter((one) => one.viaApp && !isMain(one))
    .map(({ body }) => normalize(body));
}

/** Code of a database that is replaced when its version changes. */
export const database = (version: string): string =>
  `resource "terraform_data" "database" {\n  triggers_replace = "${version}"\n}`;

/** Makes the database of a project be there already, in this version. */
export async function seedDatabase(world: World, dir: string, version: string): Promise<void> {
  const triggers = { value: version, type: 'string' };
  const attributes = { id: randomUUID(), input: null, output: null, triggers_replace: triggers };
  const resource = {
    mode: 'managed',
    type: 'terraform_data',
    name: 'database',
    provider: 'provider["terraform.io/builtin/terraform"]',
    instances: [{ schema_version: 0, attributes, sensitive_attributes: [] }],
  };
  const state = { version: 4, terraform_version: '1.11.4', serial: 1, lineage: randomUUID(), outputs: {} };
  await writeFile(stateFile(world, dir), JSON.stringify({ ...state, resources: [resource] }));
}

/** Where the project's state is; Terraform may write beside it. */
export function stateFile(world: World, dir: string): string {
  const path = /path = ("[^"]*")/.exec(world.project(dir, ''))?.[1];
  return JSON.parse(path ?? 'null') as string;
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

/** At the end no check may be open; a plan that was begun anew may be under way yet. An error names those that stay. */
export async function untilNoneOpen(world: World): Promise<void> {
  await vi
    .waitUntil(() => openChecks(world).length === 0, { timeout: patienceMs })
    .catch((cause: unknown) => {
      throw new Error(`left open: ${openChecks(world).join('; ')}`, { cause });
    });
}

function openChecks({ repository }: World): readonly string[] {
  return repository.data.checkSuites
    .flatMap((suite) => suite.runs)
    .filter((run) => run.status !== 'completed')
    .map((run) => `${run.name} on ${run.headSha}: ${run.status}, ${run.title}`);
}

export type RecordedRefusal = { readonly actor: string; readonly action: string; readonly reason: string };

/** What the record says was refused on a pull request, oldest first. */
export async function refusalsOf(world: World, number: number): Promise<readonly RecordedRefusal[]> {
  const query = (sql: postgres.Sql) =>
    sql<RecordedRefusal[]>`select actor, action, reason from event
      where repository_id = ${world.repository.id} and number = ${number} and not allowed order by id`;
  const found = await withDatabase(world, query);
  return found.map(({ actor, action, reason }) => ({ actor, action, reason }));
}

/** Waits until it is in the record who pushed this commit. */
export async function untilPushHeard(world: World, head: string): Promise<void> {
  const heard = () => withDatabase(world, (sql) => sql`select login from push where head = ${head}`);
  await vi.waitUntil(async () => (await heard()).length > 0, { timeout: patienceMs, interval: 50 });
}

/** How many plans of a project were ever finished. */
export async function countPlans(world: World, dir: string): Promise<number> {
  const query = (sql: postgres.Sql) =>
    sql`select id from plan where repository_id = ${world.repository.id} and dir = ${dir}`;
  return (await withDatabase(world, query)).length;
}

/** On how many plans of a project the policies have answered. */
export async function countVerdicts(world: World, dir: string): Promise<number> {
  const query = (sql: postgres.Sql) =>
    sql`select plan_id from verdict join plan on plan.id = plan_id
      where repository_id = ${world.repository.id} and dir = ${dir}`;
  return (await withDatabase(world, query)).length;
}

export type RecordedApply = { readonly number: number; readonly state: string };

/** The applies of a project that were ever begun, oldest first. */
export async function appliesOf(world: World, dir: string): Promise<readonly RecordedApply[]> {
  const query = (sql: postgres.Sql) =>
    sql<RecordedApply[]>`select number, state from apply
      where repository_id = ${world.repository.id} and dir = ${dir} order by begun_at`;
  return (await withDatabase(world, query)).map(({ number, state }) => ({ number, state }));
}

async function withDatabase<Result>(
  world: World,
  query: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const sql = postgres(world.databaseUrl, { max: 1 });
  try {
    return await query(sql);
  } finally {
    await sql.end();
  }
}
