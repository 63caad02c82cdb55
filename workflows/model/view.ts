// What do people see? The whole picture of one pull request, decided but not yet written down as text.
import type { LossReason, MissingApproval } from './approval.ts';
import type { BranchBar } from './branch-bar.ts';
import type { Check } from './check.ts';
import type { Finding } from './comparison.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { EditedPolicies } from './edited-policies.ts';
import type { RunId, Sha } from './identifiers.ts';
import type { Plan } from './plan.ts';
import type { Repository } from './repository.ts';
import type { Requirement, Unmet } from './requirement.ts';
import type { StateManager } from './state-manager.ts';
import type { UnwrittenState } from './unwritten-state.ts';
import type { Verdict } from './verdict.ts';

/** hatchet.yaml's `apply.on`. */
export type AppliesOn = 'merge' | 'comment';

/** How far one project is. */
export type ProjectStatus =
  /** `since`: ISO 8601; null while it is not known. `waitsFor`: the pool of which no runner has taken it yet. */
  | { readonly kind: 'planning'; readonly since: string | null; readonly waitsFor?: string }
  /** It cannot be planned before these are applied. `diagnostics`: what its engine said; absent in older histories. */
  | {
      readonly kind: 'after';
      readonly projects: readonly string[];
      readonly since?: string;
      readonly diagnostics?: readonly Diagnostic[];
      readonly diagnosticCount?: number;
    }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly diagnostics: readonly Diagnostic[]; readonly diagnosticCount: number }
  | { readonly kind: 'no-changes' }
  | { readonly kind: 'judging' }
  /** Nothing may be applied from the base branch. */
  | { readonly kind: 'barred' }
  /** What was applied last has to be put back into the state before anything is applied. */
  | { readonly kind: 'state-unwritten'; readonly state: UnwrittenState }
  | { readonly kind: 'denied' }
  | { readonly kind: 'rejected'; readonly by: string }
  /** `applies`: what starts its apply once nothing is missing; absent: the merge. */
  | {
      readonly kind: 'waiting-for-approval';
      readonly missing: readonly MissingApproval[];
      readonly applies?: AppliesOn;
      /** ISO 8601. */
      readonly plannedAt?: string;
    }
  /** All approvals are there; what hatchet.yaml requires of the pull request does not hold. */
  | {
      readonly kind: 'waiting-for-requirements';
      readonly unmet: readonly Unmet[];
      readonly applies?: AppliesOn;
      readonly plannedAt?: string;
    }
  | { readonly kind: 'ready'; readonly applies?: AppliesOn }
  | {
      readonly kind: 'queued';
      readonly behind: number | null;
      readonly position: number;
      readonly since: string | null;
    }
  /** It is planned when `owner` has given up `project`: itself, or one that comes before it in line. */
  | {
      readonly kind: 'locked';
      readonly project: string;
      readonly owner: number;
      readonly position: number;
      readonly since: string;
    }
  /** Not applied, because these were not. */
  | { readonly kind: 'stopped'; readonly projects: readonly string[] }
  /** What `by` has applied contains it: nothing is left to do. */
  | { readonly kind: 'superseded'; readonly by: number }
  /** Its apply is asked for and starts when these are applied, or when it is their turn. */
  | { readonly kind: 'held'; readonly projects: readonly string[]; readonly since?: string }
  /** `since`: ISO 8601; null until a runner has taken it: nothing is applied before that. `askedAt`: it waits since then. */
  | {
      readonly kind: 'applying';
      readonly since: string | null;
      readonly askedAt?: string;
      readonly runId: RunId;
    }
  | {
      readonly kind: 'applied';
      readonly at: string;
      readonly by: string;
      readonly on: 'merge' | 'comment' | 'button';
      /** When Terraform was started; absent where it is not known. */
      readonly startedAt?: string;
      /** Whose log tells what was done; absent where it is not known. */
      readonly runId?: RunId;
    }
  | {
      readonly kind: 'apply-failed';
      readonly diagnostics: readonly Diagnostic[];
      readonly diagnosticCount: number;
      readonly done: number;
      readonly total: number;
      /** Terraform could not write the state: Hatchet keeps it. */
      readonly stateKept?: true;
      /** It is to be kept as soon as the runner reaches the store. */
      readonly stateOnRunner?: true;
      readonly runId?: RunId;
    }
  | {
      readonly kind: 'unknown';
      readonly reason: string;
      readonly runId?: RunId;
      /** What a fresh plan says since; absent until there is one. */
      readonly finding?: Finding;
    };

export type ProjectView = {
  readonly name: string;
  readonly dir: string;
  readonly status: ProjectStatus;
  /** The run that is planning it or planned it last; its page has the log. */
  readonly runId: RunId | null;
  /** The plan on show; null while there is none. Its changes are read from the store by `plan.id`. */
  readonly plan: Plan | null;
  readonly verdicts: readonly Verdict[];
  /** Who said yes to this plan. */
  readonly approvedBy: readonly string[];
  /** What hatchet.yaml requires of the pull request before this is applied; empty of what needs no apply. */
  readonly required: readonly { readonly requirement: Requirement; readonly unmet: Unmet | null }[];
  /** Whose yes to this very plan counts no more, and why. */
  readonly lost: readonly { readonly login: string; readonly why: LossReason }[];
  /** Pull requests that were applied to it and then closed without a merge: what they made is still there. */
  readonly leftBehind: readonly number[];
  /** One sentence when earlier approvals no longer count: which part changed. */
  readonly voided: string | null;
};

/** `resources`: how many would stay; null while nobody has counted them. Else see DeletedState. */
export type DeletedProject = {
  readonly name: string;
  readonly resources: number | null;
  readonly unlisted?: true;
  readonly manager?: StateManager;
};

/** The state and the next step: what the first line says. Projects are names, in table order. */
export type Headline =
  | { readonly kind: 'planning'; readonly projects: readonly string[] }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'no-projects' }
  | { readonly kind: 'no-changes' }
  | { readonly kind: 'draft' }
  /** `author`: who may not write here, although the branch is in this repository; absent: it is a fork. */
  | { readonly kind: 'fork'; readonly author?: string }
  | { readonly kind: 'conflict'; readonly base: string; readonly files: readonly string[] }
  | {
      readonly kind: 'config-broken';
      readonly where: 'base' | 'head';
      readonly diagnostics: readonly Diagnostic[];
    }
  /** `why`: where it is known what an operator has to mend. */
  | { readonly kind: 'operator-error'; readonly runId: RunId; readonly why?: 'full disk' }
  | { readonly kind: 'plan-failed'; readonly projects: readonly string[] }
  | { readonly kind: 'barred'; readonly projects: readonly string[]; readonly bar: BranchBar }
  /** `overriders`: whom hatchet.yaml lets set it aside; absent: nobody, or a policy gave no answer. */
  | {
      readonly kind: 'denied';
      readonly projects: readonly string[];
      readonly overriders?: readonly string[];
    }
  /** Other pull requests own these. */
  | { readonly kind: 'locked'; readonly projects: readonly string[] }
  | { readonly kind: 'rejected'; readonly by: string; readonly projects: readonly string[] }
  | { readonly kind: 'waiting-for-approval'; readonly missing: readonly MissingApproval[] }
  | {
      readonly kind: 'waiting-for-requirements';
      readonly projects: readonly string[];
      readonly unmet: readonly Unmet[];
    }
  /** `applies`: what starts the apply of what is ready. */
  | { readonly kind: 'ready'; readonly applies: AppliesOn }
  | { readonly kind: 'applying'; readonly projects: readonly string[] }
  | { readonly kind: 'apply-failed'; readonly projects: readonly string[] }
  | { readonly kind: 'state-unwritten'; readonly projects: readonly string[] }
  | { readonly kind: 'unknown'; readonly projects: readonly string[] }
  | { readonly kind: 'superseded'; readonly projects: readonly string[] }
  | { readonly kind: 'applied' }
  | { readonly kind: 'partly-applied'; readonly applied: readonly string[]; readonly open: readonly string[] }
  | { readonly kind: 'closed' };

/**
 * The picture of a pull request: everything `show` needs to write checks and the comment, computed from the whole
 * state each time and never patched. Small: plans are references, their changes are read from the store.
 */
export type View = {
  readonly repository: Repository;
  readonly number: number;
  readonly nodeId: string;
  readonly author: string;
  /** The commit that the checks stand on: the head, or the merge commit after a merge. */
  readonly sha: Sha;
  readonly head: Sha;
  readonly base: string;
  readonly baseSha: Sha | null;
  /** Which planning this shows; a click on a button is only good for the round that it was shown with. */
  readonly roundId: string;
  /** Merged or closed: what its checks say on its head keeps nobody from merging any more. */
  readonly over?: true;
  readonly headline: Headline;
  readonly projects: readonly ProjectView[];
  /** Projects that merging would end while what they manage stays. */
  readonly deleted: readonly DeletedProject[];
  /** Names of more such projects, of which it is still being found out what would stay, and whether they only moved. */
  readonly counting: readonly string[];
  readonly checks: readonly Check[];
  /** Why what is applied was not merged, mostly in GitHub's words; null when nothing was to be merged, or it is. */
  readonly mergeRefusal: string | null;
  /** The pull request edits hatchet.yaml: it is inactive until merged. */
  readonly editsConfiguration: boolean;
  /** Projects that it adds there, or has planned in another way: not by this pull request. */
  readonly inactiveEntries: readonly string[];
  /** The repository's own policies that it edits, as far as its changed files are carried: inactive until merged. */
  readonly editedPolicies: EditedPolicies;
  /** ISO 8601; when the plans on show were finished; null before the first. */
  readonly plannedAt: string | null;
  /** Whether the comment is to be written yet: with the plans, or when they take so long that people want to know. */
  readonly comment: boolean;
};
