// What do people hear, and what was shown to them?
import type { Refusal } from '../model/apply.ts';
import type { Sha } from '../model/identifiers.ts';
import type { Findings } from '../model/round.ts';
import type { ProjectStatus } from '../model/view.ts';

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
      /** ISO 8601: how long it lasts already is counted up to then. */
      readonly at: string;
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
        | 'locks and a state given up'
        | 'nothing to cancel'
        | 'stop needs a second word'
        | 'applies are being stopped'
        | 'state lock is being broken';
    }
  /** A review is no command: it is answered only where it changes nothing any more. */
  | { readonly kind: 'too-late'; readonly to: string; readonly project: string };

export type StatusLine = {
  readonly project: string;
  readonly status: ProjectStatus;
  /** The project is this pull request's: others wait until it is given up. */
  readonly owned?: true;
};

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

export type MergeAnswer = { readonly kind: 'merged' } | { readonly kind: 'refused'; readonly reason: string };

/** When what was shown became visible (ISO 8601, GitHub's clock); null when nothing had to be written. */
export type Shown = { readonly at: string | null };
