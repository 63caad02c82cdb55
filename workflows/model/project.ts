// What is a project, and what is it called?
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

/** A project that a pull request can change, with what its plan is made from. */
export type AffectedProject = Project & {
  /** Over the files of the directory and of the local modules below it, on the planned tree. */
  readonly sourceDigest: SourceDigest;
};

/** The name of a project that has no other: its directory, with the workspace when that is not `default`. */
export function defaultProjectName(dir: string, workspace: string): string {
  return workspace === 'default' ? dir : `${dir}@${workspace}`;
}
