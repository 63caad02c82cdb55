// Which states could Terraform not write, and what is in them?
import type { Buffer } from 'node:buffer';
import { z } from 'zod';
import type { RunId } from '../../workflows/model/identifiers.ts';
import { parseRunId } from '../../workflows/model/identifiers.ts';
import type { Keyring } from './artifact.ts';
import { createArtifacts } from './artifact.ts';
import { closeTimeoutSeconds, connect } from './connection.ts';

/** What became of a state that Terraform could not write, as a person said. */
export type Settled = 'put back' | 'given up';

/** `settled`: null while it waits to be put back. `where`: the pull request's number, '' where the apply is not known any more. Times are ISO 8601, sizes bytes. */
export type KeptState = {
  readonly runId: RunId;
  readonly where: string;
  readonly project: string;
  readonly size: number;
  readonly keptAt: string;
  readonly expiresAt: string;
  readonly settled: Settled | null;
};

export type KeptStates = {
  /** Newest first. */
  list(): Promise<readonly KeptState[]>;
  /** In clear. Null: none is kept of that run. OperatorError: it has expired, or no key opens it. */
  find(run: RunId): Promise<Buffer | null>;
  /** False: nothing of that run waits to be put back. */
  settle(run: RunId, how: Settled, actor: string): Promise<boolean>;
  close(): Promise<void>;
};

const time = z.date().transform((date) => date.toISOString());
const rows = z.array(
  z.object({
    runId: z.string().transform(parseRunId),
    number: z.number().nullable(),
    project: z.string().nullable(),
    size: z.coerce.number(),
    keptAt: time,
    expiresAt: time,
    settled: z.enum(['put back', 'given up']).nullable(),
  }),
);

/** For a command of its own: nothing is migrated, and nothing is logged. */
export function connectKeptStates({
  url,
  keyring,
}: {
  readonly url: string;
  readonly keyring: Keyring;
}): KeptStates {
  const sql = connect(url, { debug: () => undefined });
  const artifacts = createArtifacts(sql, keyring);
  return {
    async list() {
      const found = await sql`select run_id as "runId", number, project, size, created_at as "keptAt",
        expires_at as "expiresAt", how as settled
        from kept_state left join settled_state using (run_id) order by created_at desc`;
      return rows.parse(found).map(({ number, project, ...rest }) => ({
        ...rest,
        where: number === null ? '' : `#${number}`,
        project: project ?? '',
      }));
    },
    find: (id) => artifacts.find({ id, kind: 'errored-state' }),
    async settle(run, how, actor) {
      const { count } = await sql`insert into settled_state (run_id, how, actor)
        select run_id, ${how}, ${actor} from unwritten_state where run_id = ${run} on conflict (run_id) do nothing`;
      return count > 0;
    },
    close: () => sql.end({ timeout: closeTimeoutSeconds }),
  };
}
