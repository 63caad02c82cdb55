// What can workflows ask of the world? The port that `activities/` implements.
import type { Message, ProjectNews, Push, RepositoryNews } from './messages.ts';
import type { Actor } from './model/actor.ts';
import type { ApplyGrant, ApplyOutcome, Refusal } from './model/apply.ts';
import type { Approval, Rejection } from './model/approval.ts';
import type { MergeMethod } from './model/auto-merge.ts';
import type { BranchBar } from './model/branch-bar.ts';
import type { Finding } from './model/comparison.ts';
import type { Configuration, Rules } from './model/configuration.ts';
import type { Diagnostic } from './model/diagnostic.ts';
import type { EditedPolicies } from './model/edited-policies.ts';
import type { PlanId, RepositoryId, RunId, Sha } from './model/identifiers.ts';
import type { LockChange, LockMode, ProjectRequest } from './model/lock.ts';
import type { MemberPlan, MergeGroup } from './model/merge-group.ts';
import type { GroupView, WrittenCheck } from './model/merge-group-checks.ts';
import type { Override } from './model/override.ts';
import type { PlanResult } from './model/plan.ts';
import type { AffectedProject, Project } from './model/project.ts';
import type { PullRequest, Source } from './model/pull-request.ts';
import type { OpenPullRequest } from './model/refresh.ts';
import type { PullRequestRef, Repository } from './model/repository.ts';
import type { Findings } from './model/round.ts';
import type { Standing } from './model/standing.ts';
import type { LockMark } from './model/state-lock.ts';
import type { UnwrittenState } from './model/unwritten-state.ts';
import type { Verdict } from './model/verdict.ts';
import type { ProjectStatus, View } from './model/view.ts';

/** What a pull request is, and what of it would be planned. */
export type Inspection = {
  readonly pullRequest: PullRequest;
  readonly standing: Standing;
  readonly editedPolicies: EditedPolicies;
  readonly configuration: ConfigurationFound;
  /** Why nothing may be applied from the base branch, as the default branch says now; null: it may. */
  readonly barred: BranchBar | null;
  /** The pull request changes hatchet.yaml itself; `problems` are those of the new text. */
  readonly edited: { readonly problems: readonly Diagnostic[] } | null;
  /** The head contains the tip of the base branch; false of one that is closed. */
  readonly containsBase: boolean;
  /** How long a plan or an apply waits for a runner before somebody looks whether there is one. */
  readonly poolWaitMs: number;
  /** Of its projects, those to which something is applied that was closed without a merge. */
  readonly leftBehind: readonly LeftBehind[];
  /** Of its projects, those with a state that Terraform could not write and nobody has put back. */
  readonly unwritten?: readonly (ProjectPlace & UnwrittenState)[];
  /** It is merged, and what it shows says that something is still to be applied. */
  readonly unapplied?: true;
  readonly source:
    | {
        readonly kind: 'merged';
        readonly source: Source;
        /** The commit that its own changes are counted from. */
        readonly forkedAt: Sha;
        readonly projects: readonly AffectedProject[];
        /**
         * Projects of the base that merging would end, as they are there; `tree` is the base's. `unlisted`: the names
         * of those whose code stays, and which hatchet.yaml then has no more.
         */
        readonly deleted: {
          readonly tree: Sha;
          readonly projects: readonly AffectedProject[];
          readonly unlisted?: readonly string[];
        };
      }
    | { readonly kind: 'conflict'; readonly files: readonly string[] }
    /** A pull request that was closed without a merge is not looked into. */
    | { readonly kind: 'closed' };
};

export type ConfigurationFound =
  | { readonly kind: 'valid'; readonly configuration: Configuration }
  | { readonly kind: 'broken'; readonly problems: readonly Diagnostic[] };

export type PlanRequest = {
  readonly repository: Repository;
  readonly number: number;
  readonly project: AffectedProject;
  readonly source: Source;
  readonly runId: RunId;
  /** Plan the end of everything that the project has. */
  readonly destroy: boolean;
  /** Only where nobody else holds Terraform's state lock; absent: whoever holds it. */
  readonly underLock?: true;
};

/**
 * What lets one run, and no other, read its files from control and keep its results there. Null where control and
 * runner are one process.
 */
export type RunPass = {
  readonly token: string;
  /** Whose runners it is for: only with a key of that pool it opens anything. */
  readonly pool: string;
  /** Somebody may follow the run while it goes on. */
  readonly followed: boolean;
};

/** Which run it is, and how long it may go on at most, waiting included. */
export type RunAdmission = {
  readonly repositoryId: RepositoryId;
  readonly pool: string;
  readonly runId: RunId;
  readonly lifetimeMs: number;
  readonly operation:
    | { readonly kind: 'plan'; readonly number: number; readonly project: Project; readonly tree: Sha }
    | { readonly kind: 'apply'; readonly planId: PlanId };
};

/** The `type` of the failure that says so: nothing was applied. Only `applyPlan` throws it, and only before the start. */
export const notStartedType = 'NotStarted';
/** Its detail. The type of a failure is in clear, and whoever reaches Temporal can give one: details are sealed. */
export const notStartedDetail = 'Terraform was not started';

export type ApplyPlanRequest = {
  readonly repository: Repository;
  readonly grant: ApplyGrant;
  readonly runId: RunId;
  readonly fence: number;
};

/** The project as it was planned, and the lock that is to be broken. */
export type UnlockRequest = PlanRequest & { readonly lockId: string };

/** What a runner is asked to do, with its pass. */
export type Admitted<Request> = Request & { readonly pass: RunPass | null };

export type JudgeRequest = {
  readonly planId: PlanId;
  /** What holds for the plan's project. */
  readonly rules: Rules;
  /** Commit of the base branch that the repository's own policies are read from. */
  readonly base: Sha;
  readonly repository: Repository;
  readonly pullRequest: PullRequest;
  /** Two commits: the files that differ are those that it changes. Read from git, however many. */
  readonly changes: { readonly from: Sha; readonly to: Sha };
  readonly trigger: string;
};

/** A reaction and, where there is something to say, a reply to whoever asked. */
export type Answer = {
  /** The delivery that it answers: an answer is given once, however often it is tried. */
  readonly id: string;
  /** GraphQL node id of the comment; null for a click on a button. */
  readonly commentNodeId: string | null;
  readonly reaction: 'EYES' | 'CONFUSED' | null;
  readonly reply: Reply | null;
};

/** What a reply says; the text is made by the renderer, so that everything from outside is escaped in one place. */
export type Reply =
  | { readonly kind: 'help' }
  /** `findings`: why there are no lines. */
  | {
      readonly kind: 'status';
      readonly findings: Findings['kind'];
      readonly lines: readonly StatusLine[];
    }
  | {
      readonly kind: 'refused';
      readonly to: string;
      readonly verb: string;
      readonly refusal: Refusal | CommandRefusal;
    }
  | {
      readonly kind: 'done';
      readonly to: string;
      readonly text:
        | 'nothing to apply'
        | 'locks given up'
        | 'nothing to cancel'
        | 'stop needs a second word'
        | 'applies are being stopped'
        | 'state lock is being broken';
    }
  /** A review is no command: it is answered only where it changes nothing any more. */
  | { readonly kind: 'too-late'; readonly to: string; readonly project: string };

export type StatusLine = { readonly project: string; readonly status: ProjectStatus };

export type CommandRefusal =
  | { readonly kind: 'unknown-verb'; readonly word: string; readonly nearest: string | null }
  | { readonly kind: 'bad-arguments'; readonly problem: string }
  | {
      readonly kind: 'unknown-project';
      readonly word: string;
      readonly nearest: string | null;
      readonly projects: readonly string[];
    }
  /** Merging ends it: only that can be planned. */
  | { readonly kind: 'deleted-project'; readonly project: string }
  | { readonly kind: 'not-allowed'; readonly needs: 'read' | 'write' }
  /** What a later release brings: named, never silently ignored. */
  | { readonly kind: 'not-supported'; readonly what: string }
  | { readonly kind: 'own-approval' }
  /** hatchet.yaml names nobody, or others. */
  | { readonly kind: 'no-override'; readonly by: readonly string[] }
  | { readonly kind: 'own-override' }
  | { readonly kind: 'nothing-to-override' }
  /** Not the person's fault: the log has the cause under the delivery's id. */
  | { readonly kind: 'trouble'; readonly deliveryId: string }
  /** hatchet.yaml's `approvals.from` takes no approval by this way. */
  | { readonly kind: 'approve-elsewhere'; readonly ways: readonly string[] }
  /** The person's own word on the plan that `stands` is later, or was not shown to be earlier. */
  | { readonly kind: 'outweighed'; readonly project: string; readonly stands: 'yes' | 'no' }
  | { readonly kind: 'plan-changed'; readonly project: string }
  | { readonly kind: 'still-planning' }
  | { readonly kind: 'fork-needs-sha'; readonly head: Sha }
  | { readonly kind: 'nothing-to-approve' }
  /** No apply has an outcome that nobody knows. */
  | { readonly kind: 'nothing-unknown' }
  /** What is there was not looked at yet. */
  | { readonly kind: 'not-compared'; readonly project: string }
  /** The Terraform that was lost may still be at work; `until`: ISO 8601. */
  | { readonly kind: 'maybe-at-work'; readonly project: string; readonly until: string }
  /** Nobody found a lock of Terraform that the apply itself left behind. */
  | { readonly kind: 'no-own-lock' }
  | { readonly kind: 'applying' }
  /** It stood on a check that shows something else by now. */
  | { readonly kind: 'button-outdated' }
  /** Too late to say no. */
  | { readonly kind: 'begun'; readonly project: string }
  | { readonly kind: 'pull-request-closed' };

/** `bundle`: the policies and the rules that spoke, lowercase hex SHA-256. */
export type Judgement = { readonly verdicts: readonly Verdict[]; readonly bundle: string };

export type MergeAnswer = { readonly kind: 'merged' } | { readonly kind: 'refused'; readonly reason: string };

/** When what was shown became visible (ISO 8601, GitHub's clock); null when nothing had to be written. */
export type Shown = { readonly at: string | null };

/** What a merge group is, and what of it would be planned. */
export type GroupInspection = Pick<Inspection, 'configuration' | 'edited' | 'poolWaitMs' | 'barred'> & {
  /** Its pull requests as last read, oldest first; never empty. */
  readonly members: readonly PullRequest[];
  /** Numbers of those from forks that would be planned at a commit which nobody allowed. */
  readonly unplannedForks: readonly number[];
  readonly source: Source;
  /** The commit that its own changes are counted from. */
  readonly forkedAt: Sha;
  readonly projects: readonly AffectedProject[];
};

/** Control: holds the App key and the database; runs no foreign code. Runs on `hatchet-control`. */
export type ControlActivities = {
  /**
   * Reads the pull request, fetches base and head, merges them in memory, finds configuration and projects. `expected`:
   * what is known of it, so that the work need not wait for the reading; what the reading says is what counts.
   */
  inspect(request: {
    readonly ref: PullRequestRef;
    readonly expected: PullRequest | null;
  }): Promise<Inspection>;
  /** Reviews, whoever pushed the head and, where it is asked for, whether it could be merged; nothing is fetched. */
  readStanding(request: { readonly ref: PullRequestRef; readonly mergeability: boolean }): Promise<Standing>;
  /** Merges it if the head is still this one; what GitHub refuses is a value, its own words. */
  mergePullRequest(request: {
    readonly ref: PullRequestRef;
    readonly nodeId: string;
    readonly head: Sha;
    readonly method: MergeMethod;
  }): Promise<MergeAnswer>;
  /** Evaluates every policy on one plan. Fails closed: what cannot be evaluated is a verdict with `error`. */
  judge(request: JudgeRequest): Promise<Judgement>;
  /** The person's rights at this moment, and which of `teams` (`@org/team`) they are in. */
  readActor(request: {
    readonly repository: Repository;
    readonly login: string;
    readonly teams: readonly string[];
  }): Promise<Actor>;
  /** Writes what differs from what was last written: checks, the comment, answers; one mutation for many. */
  show(request: { readonly view: View; readonly answers: readonly Answer[] }): Promise<Shown>;
  /** Only answers, where no picture is followed any more. */
  answer(request: {
    readonly ref: PullRequestRef;
    readonly nodeId: string;
    readonly answers: readonly Answer[];
  }): Promise<void>;
  /** Hands requests to the workflows that own the projects, starting those that are not running. */
  askProjects(request: {
    readonly repository: Repository;
    readonly asked: readonly { readonly project: ProjectPlace; readonly request: ProjectRequest }[];
  }): Promise<void>;
  /**
   * Checks the grant against the world once more and, in one transaction, writes the fence row. OperatorError: the run
   * was begun by an earlier life of the project's workflow, or is over.
   */
  beginApply(request: {
    readonly repository: Repository;
    readonly grant: ApplyGrant;
    readonly runId: RunId;
    readonly fence: number;
    readonly asked: AskedApply;
  }): Promise<ApplyBegun | Refusal>;
  /**
   * Terraform was not started by this life of the project's workflow: writes `outcome` where it has begun the run and
   * no runner has taken it, or nobody has begun it. Answers with what the record says then: what an earlier life has
   * begun, or a runner has taken, is unknown from now on, unless it is known already.
   */
  recordUnbegun(request: {
    readonly runId: RunId;
    /** Null: whoever asks has begun nothing. */
    readonly life: string | null;
    readonly outcome: ApplyOutcome;
  }): Promise<ApplyOutcome>;
  /**
   * Somebody has taken back what an apply stands on, and that is recorded: no runner gets it any more, unless one has
   * taken it. `holds`: it stands without that, too. `not begun`: nobody gets it before what was said is read.
   */
  callBack(request: { readonly runId: RunId }): Promise<'called back' | 'taken' | 'holds' | 'not begun'>;
  /**
   * The apply of the project that was begun and never said how it ended, or of which nobody knows and nobody has decided
   * what it has done; null when there is none.
   */
  findUnfinished(request: {
    readonly repository: Repository;
    readonly project: ProjectPlace;
  }): Promise<UnfinishedApply | null>;
  /** What plans once more exactly what the granted plan was made from, as `runId`. */
  planAgain(request: {
    readonly repository: Repository;
    readonly grant: ApplyGrant;
    readonly runId: RunId;
  }): Promise<PlanRequest>;
  /** What of the approved plan is done, as far as this newer plan of the same source tells? */
  compareApply(request: {
    readonly approved: PlanId;
    readonly run: RunId;
    /** What the apply wrote down of the lock that it would take; null where it never did. */
    readonly mark: LockMark | null;
    readonly result: PlanResult;
  }): Promise<Finding>;
  /** A pass for each run that a runner is about to be asked for; null where no runner needs one. */
  admitRuns(requests: readonly RunAdmission[]): Promise<readonly (RunPass | null)[]>;
  /** Writes what came of it; repeating it changes nothing. */
  recordApply(request: { readonly runId: RunId; readonly outcome: ApplyOutcome }): Promise<void>;
  /**
   * Writes what came of an apply, then says so to whoever asked for it and, where it changed something, to the workflow of
   * the repository; then the record has `entries`. In one step, since people wait for it; repeating it changes nothing.
   */
  endApply(request: {
    readonly runId: RunId;
    readonly outcome: ApplyOutcome;
    readonly told: { readonly workflowId: string; readonly news: ProjectNews };
    readonly changed: RepositoryNews | null;
    readonly entries: readonly RecordEntry[];
  }): Promise<void>;
  /** Appends to the record; repeating it changes nothing. */
  record(request: { readonly entries: readonly RecordEntry[] }): Promise<void>;
  /** Did this delivery reach an earlier workflow of the pull request, which has ended since? */
  wasDelivered(request: {
    readonly deliveryId: string;
    readonly repositoryId: RepositoryId;
    readonly subject: string | null;
  }): Promise<boolean>;
  /** Does anybody take the work of this pool? Those who wait for a busy one go on waiting. */
  poolHasRunners(request: { readonly pool: string }): Promise<boolean>;
  /**
   * A person said `unlock`: an apply of the project that began and never reported, or of which nobody knows what it has
   * done, stays unknown for good and keeps nothing out any more, and a state that is not put back is given up.
   */
  abandonApply(request: { readonly repository: Repository; readonly project: ProjectPlace }): Promise<void>;
  /** Tells a pull request's workflow what became of its wish; one that is over hears nothing, and that is no error. */
  tellNews(request: { readonly workflowId: string; readonly news: ProjectNews }): Promise<void>;
  /** Hands news to the workflow of the repository, starting it when it is not running. */
  tellRepository(news: RepositoryNews): Promise<void>;
  /** The open pull requests as last read, oldest first, and which of `projects` each has planned. */
  listOpenPullRequests(request: {
    readonly repository: Repository;
    readonly projects: readonly string[];
  }): Promise<readonly OpenPullRequest[]>;
  /** Minutes that the merge queue waits for the checks of a group; null where GitHub does not tell. */
  readQueueLimit(request: { readonly group: MergeGroup }): Promise<number | null>;
  /** Reads and fetches a merge group, finds its pull requests and the projects that it affects. */
  inspectGroup(request: { readonly group: MergeGroup }): Promise<GroupInspection>;
  /** What the group's pull requests show of these projects, and what people said there. */
  readGroupRecord(request: {
    readonly repository: Repository;
    readonly members: readonly Pick<PullRequest, 'number' | 'author'>[];
    readonly projects: readonly string[];
  }): Promise<readonly MemberPlan[]>;
  /** Writes what differs from `written` onto the group's commit; answers with what stands there now. */
  showGroup(request: {
    readonly view: GroupView;
    readonly written: readonly WrittenCheck[];
  }): Promise<readonly WrittenCheck[]>;
  /** Numbers of the open pull requests that had this head when they were last read, oldest first. */
  listPullRequestsAt(request: {
    readonly repository: Repository;
    readonly head: Sha;
  }): Promise<readonly number[]>;
  /** Tells a pull request's workflow. Not heard: it does not run, and is not started for this. */
  tellPullRequest(message: Message): Promise<{ readonly heard: boolean }>;
  /** Has GitHub send again, once each, what did not arrive. `at`: the time on GitHub's clock (ISO 8601). */
  redeliverFailed(): Promise<{ readonly at: string; readonly redelivered: number }>;
  /** Compares what GitHub shows with the record, wherever the App is installed. */
  findLosses(request: {
    /** Names the look: what it says twice changes nothing. */
    readonly lookId: string;
    readonly at: string;
    /** Ask GitHub where the App is installed, however lately that was done. */
    readonly listAnew: boolean;
  }): Promise<Look>;
  /** Says or does what sets it right. */
  setRight(loss: Loss): Promise<void>;
  /** Everything that the look found is set right or told: the next one begins where it began. */
  noteLook(look: Omit<Look, 'losses'>): Promise<void>;
};

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
  /** Checks are not completed; the message is for a workflow that is not there any more. */
  | { readonly kind: 'checks'; readonly message: Extract<Message, { kind: 'pull-request' }> };

/** What is kept with the fence, for whoever finds it after the project's workflow is gone. */
export type AskedApply = {
  /** The run of the project's workflow: one that is reset or begun anew is another. */
  readonly life: string;
  readonly replyTo: string;
  readonly mode: LockMode;
};

export type UnfinishedApply = {
  readonly runId: RunId;
  readonly number: number;
  readonly grant: ApplyGrant;
  readonly asked: AskedApply;
  /** How long a runner that was lost may still be at work. */
  readonly lostWaitMs: number;
  /** What is recorded of it, and since when (ISO 8601), where it was told already that nobody knows what it has done. */
  readonly lost: {
    readonly at: string;
    readonly outcome: Extract<ApplyOutcome, { kind: 'unknown' }>;
  } | null;
};

/** The fence is there. */
export type ApplyBegun = {
  readonly kind: 'begun';
  /** Milliseconds that its runner may still be at work after contact with it was lost. */
  readonly lostWaitMs: number;
  /** What its runner shows; null where no runner needs one. */
  readonly pass: RunPass | null;
};

/** Identifies a project in its repository, whatever it is called. */
export type ProjectPlace = { readonly dir: string; readonly workspace: string };

/** Numbers of the pull requests that were applied to a project and then closed without a merge. */
export type LeftBehind = ProjectPlace & { readonly numbers: readonly number[] };

/** One fact for the record. `key` names an event, so that it is recorded once. */
export type RecordEntry =
  | { readonly kind: 'event'; readonly key: string; readonly event: AuditEvent }
  | {
      readonly kind: 'delivery';
      readonly deliveryId: string;
      readonly ref: PullRequestRef;
      readonly what: string;
      /** What it was about, where that is said only once. */
      readonly subject: string | null;
    }
  | { readonly kind: 'approval'; readonly ref: PullRequestRef; readonly approval: Approval }
  | { readonly kind: 'rejection'; readonly ref: PullRequestRef; readonly rejection: Rejection }
  | { readonly kind: 'override'; readonly ref: PullRequestRef; readonly override: Override }
  /** Its author does not stand by it any more; `at`: ISO 8601, GitHub's clock. */
  | {
      readonly kind: 'override-withdrawal';
      readonly ref: PullRequestRef;
      readonly override: Override;
      readonly at: string;
    }
  | { readonly kind: 'push'; readonly repository: Repository; readonly push: Push }
  /** A yes that counts no more, although the plan is the same. */
  | { readonly kind: 'withdrawal'; readonly ref: PullRequestRef; readonly approval: Approval }
  | {
      readonly kind: 'lock';
      readonly key: string;
      readonly repository: Repository;
      readonly project: ProjectPlace;
      readonly change: LockChange;
    };

export type AuditEvent = {
  readonly repository: Repository;
  readonly number: number | null;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly digest: string | null;
  readonly allowed: boolean;
  readonly reason: string;
};

/** Runner: runs foreign code; no App key, no database. Runs on `hatchet-runner-<pool>`. */
export type RunnerActivities = {
  /** `init`, `plan`, `show` in one go; plan file, JSON, log and changes go to the store. */
  planProject(request: Admitted<PlanRequest>): Promise<PlanResult>;
  /** Applies one stored plan file. One attempt: a second one refuses before Terraform starts. */
  applyPlan(request: Admitted<ApplyPlanRequest>): Promise<ApplyOutcome>;
  /**
   * Breaks Terraform's own lock of this id on the project's state. Null: it is gone; else what Terraform says.
   * OperatorError: the id is none.
   */
  unlockState(request: Admitted<UnlockRequest>): Promise<readonly Diagnostic[] | null>;
};
