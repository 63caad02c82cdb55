// What does control give to runners on machines of their own, and what does it take from them?
import type { Buffer } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Refusal } from '../../workflows/model/apply.ts';
import type { PlanId, RepositoryId, Sha } from '../../workflows/model/identifiers.ts';
import { isSameProject } from '../../workflows/model/project.ts';
import type { LogSink, RunnerStore, StoredPlan } from '../run-store.ts';
import type { Applies, ApplyState } from '../store/apply.ts';
import type { Admitted, Claims, Passes } from './pass.ts';
import type { Proofs } from './proof.ts';
import type { BodyTaker } from './read-bytes.ts';
import { createBodyTaker } from './read-bytes.ts';
import {
  calledBackStatus,
  headers,
  limits,
  paths,
  planFilesForm,
  readPlanForm,
  takenStatus,
} from './wire.ts';

export type RunServiceDependencies = {
  readonly passes: Pick<Passes, 'check'>;
  readonly proofs: Pick<Proofs, 'check'>;
  readonly store: RunnerStore;
  readonly applies: Pick<Applies, 'find'>;
  readonly liveLogs: LogSink;
  /** Null: control does not have that tree. */
  readonly packTree: (repository: RepositoryId, tree: Sha, signal: AbortSignal) => Promise<Readable | null>;
  readonly log: Pick<Logger, 'warn'>;
};

type Answer =
  | { readonly kind: 'done' }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'form'; readonly form: FormData }
  | { readonly kind: 'stream'; readonly stream: Readable }
  | { readonly kind: 'taken' }
  | { readonly kind: 'called-back'; readonly refusal: Refusal }
  | {
      readonly kind: 'refused';
      readonly status: 401 | 403 | 404 | 413 | 422 | 503;
      readonly problem: string;
    };

type Exchange = {
  readonly request: IncomingMessage;
  readonly claims: Admitted;
  readonly signal: AbortSignal;
  readonly takeBody: BodyTaker;
};

/** Answers everything below `/runner/`, to whoever has a run's pass; false for other paths. Bodies are never logged. */
export function createRunService(
  deps: RunServiceDependencies,
): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  const takeBody = createBodyTaker(limits.bytesAtOnce);
  return async (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    if (!path.startsWith('/runner/')) return false;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const answer = await admit(deps, { request, takeBody, signal: gone.signal }, path).catch(
      (cause: unknown) => {
        const refused = refusalOf(cause);
        if (refused === null) throw cause;
        return refused;
      },
    );
    if (answer.kind === 'refused') deps.log.warn({ path, problem: answer.problem }, 'a runner was refused');
    await send(response, answer);
    return true;
  };
}

/** What only an operator can mend is told to the runner, whose log has the rest; anything else is tried again. */
function refusalOf(cause: unknown): Answer | null {
  const isTold = cause instanceof ApplicationFailure && cause.nonRetryable === true;
  return isTold ? { kind: 'refused', status: 422, problem: cause.message } : null;
}

async function admit(
  deps: RunServiceDependencies,
  knock: Omit<Exchange, 'claims'>,
  path: string,
): Promise<Answer> {
  const { request } = knock;
  if (path === paths.ping) return { kind: 'done' };
  const [, token = ''] = /^Bearer ([\w.-]+)$/.exec(request.headers.authorization ?? '') ?? [];
  const claims = deps.passes.check(token);
  if (typeof claims === 'string') return { kind: 'refused', status: 401, problem: `the pass is ${claims}` };
  if (!deps.proofs.check(claims.pool, token, headerOf(request, headers.proof)))
    return { kind: 'refused', status: 401, problem: 'the pass is for the runners of another pool' };
  if (claims.late && !(await isLeftBehind(deps, path, claims)))
    return { kind: 'refused', status: 401, problem: 'the pass is expired' };
  const exchange = { ...knock, claims };
  if (request.method === 'GET') return give(deps, path, exchange);
  if (request.method === 'PUT') return take(deps, path, exchange);
  return unknownPath;
}

/** What an apply left that has not said that it came to its end; none of it replaces what is kept. */
async function isLeftBehind(
  { applies }: RunServiceDependencies,
  path: string,
  { runId }: Claims,
): Promise<boolean> {
  if (path !== paths.erroredState && path !== paths.lateLog) return false;
  const apply = await applies.find(runId);
  return apply !== null && ['begun', 'unknown', 'failed'].includes(apply.state);
}

const unknownPath: Answer = { kind: 'refused', status: 404, problem: 'there is nothing of that name' };
const notOfThisRun: Answer = { kind: 'refused', status: 403, problem: 'that is not what the pass is for' };
const tooLarge: Answer = { kind: 'refused', status: 413, problem: 'that is more than the store takes' };
/** The runner tries again. */
const noRoom: Answer = { kind: 'refused', status: 503, problem: 'too much is being received at this moment' };
const otherShape: Answer = {
  kind: 'refused',
  status: 422,
  problem: 'the plan has another shape: is the runner of this version?',
};
const done: Answer = { kind: 'done' };

/**
 * A pass opens nothing before the fence is written, nor after the apply has said how it ended. Of one that was called
 * back, whoever comes to take it hears that.
 */
const underWay: readonly ApplyState[] = ['begun', 'unknown'];

async function give(deps: RunServiceDependencies, path: string, exchange: Exchange): Promise<Answer> {
  const { claims, signal } = exchange;
  const { operation, repositoryId } = claims;
  if (path === paths.tree && operation.kind === 'plan')
    return giveTree(deps, repositoryId, operation.tree, signal);
  if (operation.kind !== 'apply') return notOfThisRun;
  const { planId } = operation;
  const apply = await deps.applies.find(claims.runId);
  const states = path === paths.planFile ? [...underWay, 'refused'] : underWay;
  if (apply === null || apply.planId !== planId || !states.includes(apply.state)) return notOfThisRun;
  switch (path) {
    case paths.tree:
      return giveTree(deps, repositoryId, (await deps.store.readPlan(planId)).source.tree, signal);
    case paths.plan:
      return { kind: 'json', value: await deps.store.readPlan(planId) };
    case paths.planFile:
      return giveTaken(deps, exchange, planId);
    case paths.planJson:
      return { kind: 'bytes', bytes: await deps.store.readPlanJson(planId) };
    default:
      return unknownPath;
  }
}

/** To one process alone, for as long as the apply lasts: two of them would apply the same plan. */
async function giveTaken(
  { store }: RunServiceDependencies,
  { request, claims: { runId } }: Exchange,
  planId: PlanId,
): Promise<Answer> {
  const taker = headerOf(request, headers.taker);
  if (!uuidPattern.test(taker)) return { kind: 'refused', status: 422, problem: 'nobody says who takes it' };
  const files = await store.takePlanFile({ planId, runId, taker });
  if (files === null) return { kind: 'taken' };
  return 'kind' in files
    ? { kind: 'called-back', refusal: files }
    : { kind: 'form', form: planFilesForm(files) };
}

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function headerOf({ headers: given }: IncomingMessage, name: string): string {
  const value = given[name];
  return typeof value === 'string' ? value : '';
}

async function giveTree(
  { packTree }: RunServiceDependencies,
  repository: RepositoryId,
  tree: Sha,
  signal: AbortSignal,
): Promise<Answer> {
  const stream = await packTree(repository, tree, signal);
  const problem = 'control does not have the files any more: plan again';
  return stream === null ? { kind: 'refused', status: 404, problem } : { kind: 'stream', stream };
}

async function take(deps: RunServiceDependencies, path: string, exchange: Exchange): Promise<Answer> {
  const { store, liveLogs } = deps;
  const { runId, operation } = exchange.claims;
  if (path === paths.plan) return takePlan(deps, exchange);
  if (path === paths.log) return keep(exchange, limits.logBytes, (log) => store.saveLog(runId, log));
  if (path === paths.erroredState || path === paths.lateLog) {
    if (operation.kind !== 'apply') return notOfThisRun;
    if (path === paths.lateLog) return keep(exchange, limits.logBytes, (log) => store.addLog(runId, log));
    return keep(exchange, limits.stateBytes, (state) => store.saveErroredState(runId, state));
  }
  const [, seq] = /^\/runner\/live-log\/(\d{1,9})$/.exec(path) ?? [];
  if (seq === undefined) return unknownPath;
  return keep(exchange, limits.chunkBytes, (text) => liveLogs.append(runId, Number(seq), text.toString()));
}

async function keep(
  { request, takeBody }: Exchange,
  maxBytes: number,
  save: (body: Buffer) => Promise<void>,
): Promise<Answer> {
  return answerTo(await takeBody(request, maxBytes, async (body) => save(body).then(() => done)));
}

const answerTo = (taken: Answer | 'too-large' | 'no-room'): Answer => {
  if (taken === 'too-large') return tooLarge;
  return taken === 'no-room' ? noRoom : taken;
};

async function takePlan({ store }: RunServiceDependencies, exchange: Exchange): Promise<Answer> {
  const { request, claims, takeBody } = exchange;
  if (claims.operation.kind !== 'plan') return notOfThisRun;
  const contentType = request.headers['content-type'] ?? '';
  const taken = await takeBody(request, limits.planBytes, async (body): Promise<Answer> => {
    const form = await readPlanForm(contentType, body).catch(() => null);
    if (form === null) return otherShape;
    if (!isOf(claims, form.stored)) return notOfThisRun;
    await store.savePlan(form.stored, form.bytes);
    return done;
  });
  return answerTo(taken);
}

/** Whatever else a runner says of its plan, it is the plan of the run that control asked for. */
function isOf({ runId, repositoryId, operation }: Claims, { plan, repository, number, source }: StoredPlan) {
  return (
    operation.kind === 'plan' &&
    plan.runId === runId &&
    repository.id === repositoryId &&
    number === operation.number &&
    source.tree === operation.tree &&
    isSameProject(plan.project, operation.project)
  );
}

async function send(response: ServerResponse, answer: Answer): Promise<void> {
  switch (answer.kind) {
    case 'done':
      response.writeHead(204).end();
      return;
    case 'json':
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer.value));
      return;
    case 'bytes':
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(answer.bytes);
      return;
    case 'form':
      return sendForm(response, answer.form);
    case 'stream':
      response.writeHead(200, { 'content-type': 'application/x-git-pack' });
      // A reader who leaves half way is no failure, and one who is left half way notices.
      await pipeline(answer.stream, response).catch(() => undefined);
      return;
    case 'taken':
      response.writeHead(takenStatus).end();
      return;
    case 'called-back':
      response.writeHead(calledBackStatus, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ refusal: answer.refusal }));
      return;
    case 'refused':
      // What is left of the request is not read.
      response.writeHead(answer.status, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify({ problem: answer.problem }));
      return;
    default:
      answer satisfies never;
  }
}

async function sendForm(response: ServerResponse, form: FormData): Promise<void> {
  const made = new Response(form);
  response.writeHead(200, { 'content-type': made.headers.get('content-type') ?? '' });
  response.end(new Uint8Array(await made.arrayBuffer()));
}
