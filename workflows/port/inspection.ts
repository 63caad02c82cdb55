// What is a pull request, or a merge group, at this moment?
import type { BranchBar } from '../model/branch-bar.ts';
import type { Configuration } from '../model/configuration.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { EditedPolicies } from '../model/edited-policies.ts';
import type { Sha } from '../model/identifiers.ts';
import type { AffectedProject } from '../model/project.ts';
import type { PullRequest, Source } from '../model/pull-request.ts';
import type { Standing } from '../model/standing.ts';
import type { UnwrittenState } from '../model/unwritten-state.ts';
import type { ProjectPlace } from './record.ts';

/** The `type` of a failure: nothing could be looked into, because the disk of control is full. */
export const fullDiskType = 'FullDisk';

/** What a pull request is, and what of it would be planned. */
export type Inspection = {
  readonly pullRequest: PullRequest;
  readonly standing: Standing;
  readonly editedPolicies: EditedPolicies;
  readonly configuration: ConfigurationFound;
  /** Why nothing may be applied from the base branch, as the default branch says now; null: it may. */
  readonly barred: BranchBar | null;
  /**
   * The pull request changes hatchet.yaml itself; `problems` are those of the new text. `entries`: names of the projects
   * that it adds to the file or has planned in another way, from the merge on; absent: none.
   */
  readonly edited: {
    readonly problems: readonly Diagnostic[];
    readonly entries?: readonly string[];
  } | null;
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

/** Numbers of the pull requests that were applied to a project and then closed without a merge. */
export type LeftBehind = ProjectPlace & { readonly numbers: readonly number[] };
