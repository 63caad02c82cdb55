// What is a project, and what is it called?
import type { Diagnostic } from './diagnostic.ts';
import type { SourceDigest } from './identifiers.ts';

export type Engine = 'terraform' | 'tofu';

/** One root module: a directory plus a workspace. */
export type Project = {
  /** Unique in the repository; shown to people and typed in commands. */
  readonly name: string;
  /** Relative to the repository's root, `/` between segments, `.` for the root itself. */
  readonly dir: string;
  readonly workspace: string;
  readonly engine: Engine;
};

/** Which version of the engine a project wants, and who says so. */
export type VersionRequirement = {
  /** As Terraform writes constraints: `1.11.4`, `~> 1.9`, `>= 1.5, < 2.0`. */
  readonly constraint: string;
  /** Where it was found: `hatchet.yaml`, `envs/prod/.terraform-version`, `required_version`. */
  readonly source: string;
};

/** A project that a pull request can change, with what its plan is made from. */
export type AffectedProject = Project & {
  /** Over everything its plan is made from: files of the planned tree, workspace, engine, version, var files. */
  readonly sourceDigest: SourceDigest;
  /** Passed to the engine in this order; relative to `dir`. */
  readonly varFiles: readonly string[];
  /** Null: whatever the runner has by default. */
  readonly version: VersionRequirement | null;
  /** The runners that it is planned and applied by. */
  readonly pool: string;
  /**
   * Names of projects of this repository that are applied before it, also of those that are not affected; behind those
   * the list goes on with what they depend on.
   */
  readonly dependsOn: readonly string[];
  /**
   * Directories of the local modules that its code names, without its own, links resolved. Absent where there are too
   * many to carry, and in older histories.
   */
  readonly modules?: readonly string[];
  /** What its files alone show to be wrong; with one of them it is not planned, and these are the answer. */
  readonly problems: readonly Diagnostic[];
};

/** By everything that it is known by: whoever answers for a project must not pass for another. */
export function isSameProject(left: Project, right: Project): boolean {
  return (
    left.name === right.name &&
    left.dir === right.dir &&
    left.workspace === right.workspace &&
    left.engine === right.engine
  );
}

/** The name of a project that has no other: its directory, with the workspace when that is not `default`. */
export function defaultProjectName(dir: string, workspace: string): string {
  return workspace === 'default' ? dir : `${dir}@${workspace}`;
}
