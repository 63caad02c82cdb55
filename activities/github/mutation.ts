// How do many writes go to GitHub as few requests? One mutation with an alias per write.
import type { InstallationId } from '../../workflows/model/identifiers.ts';
import type { WriteCost } from './budget.ts';
import type { GitHub, GraphqlError } from './client.ts';

/** One write: its mutation field, input and the node that it returns. */
export type Write = {
  readonly field: keyof typeof selections;
  readonly input: Readonly<Record<string, unknown>>;
};

export type WriteResult =
  /** `at`: GitHub's clock when it took effect, where GitHub tells; ISO 8601. */
  | { readonly kind: 'done'; readonly nodeId: string; readonly at: string | null }
  | { readonly kind: 'failed'; readonly error: GraphqlError };

/** What is read back of each write, and the type of its input. Source: docs.github.com/graphql/reference/mutations */
const selections = {
  createCheckRun: { input: 'CreateCheckRunInput', read: 'checkRun { id }', path: ['checkRun'] },
  updateCheckRun: { input: 'UpdateCheckRunInput', read: 'checkRun { id }', path: ['checkRun'] },
  addComment: {
    input: 'AddCommentInput',
    read: 'commentEdge { node { id updatedAt } }',
    path: ['commentEdge', 'node'],
  },
  updateIssueComment: {
    input: 'UpdateIssueCommentInput',
    read: 'issueComment { id updatedAt }',
    path: ['issueComment'],
  },
  addReaction: { input: 'AddReactionInput', read: 'reaction { id }', path: ['reaction'] },
} as const;

/** GitHub spends its time per write; more in one request comes near its own time limit. */
const maxWritesPerRequest = 10;
/** A request much larger than this is refused or times out; a comment and a check may be 64 KiB each. */
const maxRequestBytes = 256 * 1024;

/** Does all writes in order and tells of each what came of it. */
export async function doWrites(
  github: GitHub,
  installation: InstallationId,
  writes: readonly Write[],
): Promise<readonly WriteResult[]> {
  const results: WriteResult[] = [];
  for await (const batch of writeBatches(github, installation, writes)) results.push(...batch);
  return results;
}

/** The same, request by request: what is done can be remembered before the next one has to wait for its turn. */
export async function* writeBatches(
  github: GitHub,
  installation: InstallationId,
  writes: readonly Write[],
): AsyncGenerator<readonly WriteResult[], void, void> {
  for (const batch of inBatches(writes)) {
    const answer = await github.mutate(installation, mutationOf(batch), variablesOf(batch), costOf(batch));
    yield batch.map((write, index) => resultOf(write, `w${index}`, answer));
  }
}

function costOf(batch: readonly Write[]): WriteCost {
  const progress = ({ input }: Write): boolean => 'status' in input && input.status !== 'COMPLETED';
  return {
    content: batch.filter(({ field }) => field === 'addComment').length,
    urgent: !batch.every(progress),
  };
}

function inBatches(writes: readonly Write[]): readonly (readonly Write[])[] {
  const batches: Write[][] = [];
  let bytes = 0;
  for (const write of writes) {
    const size = Buffer.byteLength(JSON.stringify(write.input));
    const last = batches.at(-1);
    if (last === undefined || last.length === maxWritesPerRequest || bytes + size > maxRequestBytes) {
      batches.push([write]);
      bytes = size;
    } else {
      last.push(write);
      bytes += size;
    }
  }
  return batches;
}

function mutationOf(batch: readonly Write[]): string {
  const variables = batch.map(({ field }, index) => `$w${index}: ${selections[field].input}!`).join(', ');
  const fields = batch.map(
    ({ field }, index) => `w${index}: ${field}(input: $w${index}) { ${selections[field].read} }`,
  );
  return `mutation(${variables}) {\n  ${fields.join('\n  ')}\n}`;
}

const variablesOf = (batch: readonly Write[]): Record<string, unknown> =>
  Object.fromEntries(batch.map(({ input }, index) => [`w${index}`, input]));

function resultOf(
  write: Write,
  alias: string,
  answer: { readonly data: Readonly<Record<string, unknown>>; readonly errors: readonly GraphqlError[] },
): WriteResult {
  const error = answer.errors.find(({ path }) => path[0] === alias);
  if (error !== undefined) return { kind: 'failed', error };
  const node = selections[write.field].path.reduce<unknown>(
    (value, key) => (isRecord(value) ? value[key] : undefined),
    answer.data[alias],
  );
  const missing = { type: 'MISSING', message: `GitHub returned nothing for ${write.field}`, path: [alias] };
  if (!isRecord(node) || typeof node.id !== 'string') return { kind: 'failed', error: missing };
  return { kind: 'done', nodeId: node.id, at: typeof node.updatedAt === 'string' ? node.updatedAt : null };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
