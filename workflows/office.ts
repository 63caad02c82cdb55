// What lies on the desk of a project's workflow?
import type { CancellationScope } from '@temporalio/workflow';
import { uuid4 } from '@temporalio/workflow';
import type { ApplyOutcome } from './model/apply.ts';
import type { RunId } from './model/identifiers.ts';
import type { ApplyRequest, Lock, Ownership, ProjectRequest } from './model/lock.ts';
import { lockChange } from './model/lock.ts';
import type { Repository } from './model/repository.ts';
import type { ProjectPlace, RecordEntry } from './port/record.ts';
import type { Inquiry } from './reconciling.ts';

export type Ended = {
  readonly request: ApplyRequest;
  readonly before: Ownership;
  readonly outcome: ApplyOutcome;
  /** The record has the outcome already, or needs none. */
  readonly recorded: boolean;
  /** How long its runner may still be at work after contact with it was lost. */
  readonly lostWaitMs: number;
};

/** The one mutable record of the workflow. */
export type Office = {
  readonly repository: Repository;
  readonly project: ProjectPlace;
  lock: Lock;
  readonly requests: ProjectRequest[];
  /** What came of the apply that was running; taken up by the main loop. */
  ended: Ended | null;
  /** The apply that runs: its end is what cancelling this asks for. */
  applying: CancellationScope | null;
  /** Runs that were told that they wait. */
  told: readonly RunId[];
  /** What is found out about the apply that froze the project. */
  inquiry: Inquiry | null;
  /** Changes of the lock that are still to be recorded. */
  records: RecordEntry[];
};

/** Every step of the lock goes through here, so that the record has all of them. */
export function move(office: Office, lock: Lock): void {
  const change = lockChange(office.lock, lock);
  office.lock = lock;
  if (change === null) return;
  const { repository, project } = office;
  office.records.push({ kind: 'lock', key: uuid4(), repository, project, change });
}
