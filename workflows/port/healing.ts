// What is looked for where a webhook may have been lost?
import type { Message } from '../messages.ts';
import type { RepositoryId, Sha } from '../model/identifiers.ts';
import type { MergeGroup } from '../model/merge-group.ts';
import type { Repository } from '../model/repository.ts';

/** What a look found. */
export type Look = {
  readonly at: string;
  readonly losses: readonly Loss[];
  /** Repositories that were looked at to the end. */
  readonly looked: readonly RepositoryId[];
  /** Everything that differs there, also what was told lately and is not told again. */
  readonly differences: readonly Difference[];
};

/** `facts`: while they are the same it is the same difference. */
export type Difference = {
  readonly repositoryId: RepositoryId;
  /** 0: of the repository itself. */
  readonly number: number;
  readonly what: string;
  readonly facts: string;
  /** It is told now. */
  readonly told: boolean;
};

export type Loss =
  /** A pull request's workflow has to hear it, and is started where it does not run. `since`: from when on it was looked. */
  | { readonly kind: 'message'; readonly message: Message; readonly since: string }
  | { readonly kind: 'pushed'; readonly repository: Repository; readonly branch: string; readonly tip: Sha }
  /** A merge queue waits for checks that have not begun. */
  | { readonly kind: 'group'; readonly group: MergeGroup }
  /** Checks are not completed; the message is for a workflow that is not there any more. */
  | { readonly kind: 'checks'; readonly message: Extract<Message, { kind: 'pull-request' }> };
