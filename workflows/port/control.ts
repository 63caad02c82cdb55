// What can a control worker be asked to do?
import type { Message, ProjectNews, RepositoryNews } from '../messages.ts';
import type { Actor } from '../model/actor.ts';
import type { ApplyGrant, ApplyOutcome, Refusal } from '../model/apply.ts';
import type { MergeMethod } from '../model/auto-merge.ts';
import type { Finding } from '../model/comparison.ts';
import type { PlanId, RepositoryId, RunId, Sha } from '../model/identifiers.ts';
import type { ProjectRequest } from '../model/lock.ts';
import type { MemberPlan, MergeGroup } from '../model/merge-group.ts';
import type { GroupView, WrittenCheck } from '../model/merge-group-checks.ts';
import type { PlanResult } from '../model/plan.ts';
import type { PullRequest } from '../model/pull-request.ts';
import type { OpenPullRequest } from '../model/refresh.ts';
import type { PullRequestRef, Repository } from '../model/repository.ts';
import type { Standing } from '../model/standing.ts';
import type { LockMark } from '../model/state-lock.ts';
import type { StateManager } from '../model/state-manager.ts';
import type { View } from '../model/view.ts';
import type { Answer, MergeAnswer, Shown } from './answer.ts';
import type { ApplyBegun, AskedApply, UnfinishedApply } from './begun-apply.ts';
import type { Look, Loss } from './healing.ts';
import type { GroupInspection, Inspection } from './inspection.ts';
import type { Judgement, JudgeRequest } from './judgement.ts';
import type { ProjectPlace, RecordEntry } from './record.ts';
import type { PlanRequest, RunAdmission, RunPass } from './run.ts';

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
  /**
   * The person's rights at this moment, and which of `teams` (`@org/team`) they are in. `ahead`: should they wish for an
   * apply, `beginApply` will look at this pull request in a moment; the look begins now.
   */
  readActor(request: {
    readonly repository: Repository;
    readonly login: string;
    readonly teams: readonly string[];
    readonly ahead?: { readonly number: number; readonly roundId: RunId };
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
  /** Nobody has any of the projects and nobody waits for one, a moment ago: none has a workflow that runs. */
  areFree(request: {
    readonly repository: Repository;
    readonly projects: readonly ProjectPlace[];
  }): Promise<boolean>;
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
  /** A runner has it, and has not said what came of it. */
  isApplyTaken(request: { readonly runId: RunId }): Promise<boolean>;
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
  /**
   * Who else manages what these projects have, in the same order; null: nobody. `planId`: the plan of its end, whose state
   * is asked about; null: the states that it was planned with.
   */
  findStateManagers(request: {
    readonly ref: PullRequestRef;
    readonly pullRequest: PullRequest;
    readonly endings: readonly (ProjectPlace & { readonly planId: PlanId | null })[];
  }): Promise<readonly (StateManager | null)[]>;
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
  /** When runners took these runs of the calling workflow (ISO 8601), in the same order; null: none has it now. */
  findTaken(request: { readonly runs: readonly RunId[] }): Promise<readonly (string | null)[]>;
  /**
   * A person said `unlock`: an apply of the project that began and never reported, or of which nobody knows what it has
   * done, stays unknown for good and keeps nothing out any more, and a state that is not put back is given up.
   */
  abandonApply(request: {
    readonly repository: Repository;
    readonly project: ProjectPlace;
    readonly actor: string | undefined;
  }): Promise<void>;
  /** Tells a pull request's workflow what became of its wish; one that is over hears nothing, and that is no error. */
  tellNews(request: {
    readonly workflowId: string;
    readonly news: ProjectNews;
  }): Promise<{ readonly heard: boolean }>;
  /** Hands news to the workflow of the repository, starting it when it is not running. */
  tellRepository(news: RepositoryNews): Promise<void>;
  /** The open pull requests as last read, oldest first, and which of `projects` each has planned, or tried to. */
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
