// What of a picture is not on GitHub yet? Each surface (a check, the comment, an answer) with its content's hash.
import { createHash } from 'node:crypto';
import type { PullRequestRef } from '../../workflows/model/repository.ts';
import type { Annotation } from '../render/diagnostics.ts';
import type { Write } from './mutation.ts';

/**
 * What was last written to one surface of a pull request. `key`: `check:<sha>:<name>`, `comment`, `reaction:<id>` or
 * `reply:<id>`; `silence` is nothing that was written: see silence.ts.
 */
export type Surface = {
  readonly key: string;
  readonly nodeId: string;
  readonly hash: string;
  /** Hash of its annotations; empty when it has none. GitHub appends annotations, it never replaces them. */
  readonly annotationsHash: string;
  /** Of a completed check, GitHub's word in capitals; absent where it was not written down. */
  readonly conclusion?: string | null;
  /** A check that is not completed: something has to close it one day. */
  readonly open: boolean;
  /** When it was written, by GitHub's clock, ISO 8601; null where GitHub did not tell. */
  readonly at: string | null;
};

/** What is remembered between pictures of what was written where. */
export type SurfaceMemory = {
  read(ref: PullRequestRef): Promise<readonly Surface[]>;
  save(ref: PullRequestRef, surfaces: readonly Surface[]): Promise<void>;
  /** The thing is gone from GitHub: it has to be made anew. */
  forget(ref: PullRequestRef, keys: readonly string[]): Promise<void>;
};

/** A write that is due, and what is remembered of it once it is done. */
export type Due = { readonly write: Write; readonly surface: Omit<Surface, 'nodeId' | 'at'> };

export type WantedCheck = {
  readonly key: string;
  readonly sha: string;
  readonly name: string;
  readonly externalId: string;
  /** Where GitHub's own link beside the check leads; null: nowhere but to the check. */
  readonly detailsUrl: string | null;
  readonly status: 'QUEUED' | 'IN_PROGRESS' | 'COMPLETED';
  readonly conclusion: string | null;
  readonly title: string;
  readonly summary: string;
  readonly text: string | null;
  readonly annotations: readonly Annotation[];
  readonly actions: readonly object[];
};

export const hashOf = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);

/** The write that makes a check look as wanted; null when it does already. */
export function dueCheck(repositoryId: string, wanted: WantedCheck, before: Surface | undefined): Due | null {
  const { key, sha, name, annotations, ...rest } = wanted;
  const open = wanted.status !== 'COMPLETED';
  const annotationsHash = annotations.length === 0 ? '' : hashOf(annotations);
  const surface = { key, hash: hashOf(rest), annotationsHash, conclusion: wanted.conclusion, open };
  if (before?.hash === surface.hash && before.annotationsHash === annotationsHash) return null;
  const face = checkInput(repositoryId, wanted);
  const reused = before !== undefined && mayUpdate(before, surface);
  if (!reused) return { write: { field: 'createCheckRun', input: { ...face, name, headSha: sha } }, surface };
  const output =
    before.annotationsHash === annotationsHash ? { ...face.output, annotations: undefined } : face.output;
  return {
    write: { field: 'updateCheckRun', input: { ...face, checkRunId: before.nodeId, output } },
    surface,
  };
}

/**
 * A completed run is not opened again (GitHub keeps showing its old conclusion), and annotations cannot be taken
 * back: both ask for a new run of the same name, which GitHub shows in the old one's place.
 */
function mayUpdate(before: Surface, wanted: Due['surface']): boolean {
  const reopened = !before.open && wanted.open;
  const otherAnnotations = before.annotationsHash !== '' && before.annotationsHash !== wanted.annotationsHash;
  return !reopened && !otherAnnotations;
}

function checkInput(repositoryId: string, wanted: WantedCheck) {
  const { status, conclusion, externalId, detailsUrl, title, summary, text, annotations, actions } = wanted;
  return {
    repositoryId,
    status,
    ...(conclusion === null ? {} : { conclusion }),
    externalId,
    ...(detailsUrl === null ? {} : { detailsUrl }),
    output: {
      title,
      summary,
      ...(text === null ? {} : { text }),
      annotations: annotations.length === 0 ? undefined : annotations.map(annotationInput),
    },
    actions,
  };
}

/** Source: docs.github.com/graphql/reference/input-objects#checkannotationdata */
function annotationInput({ path, level, title, message, ...location }: Annotation) {
  return { path, location, annotationLevel: level === 'failure' ? 'FAILURE' : 'WARNING', title, message };
}

const overtaken = 'A newer commit or a newer state of the pull request took over.';

/** A check that nothing will ever finish any more is closed: no way out leaves one in progress. */
export function dueCancel(repositoryId: string, surface: Surface, summary = overtaken): Due {
  const output = { title: 'Cancelled', summary };
  const input = {
    repositoryId,
    checkRunId: surface.nodeId,
    status: 'COMPLETED',
    conclusion: 'CANCELLED',
    output,
  };
  const { key } = surface;
  return {
    write: { field: 'updateCheckRun', input },
    surface: { key, hash: hashOf(output), annotationsHash: '', open: false },
  };
}

/** The comment, created once and edited in place. */
export function dueComment(subjectId: string, body: string, before: Surface | undefined): Due | null {
  const surface = { key: 'comment', hash: hashOf(body), annotationsHash: '', open: false };
  if (before?.hash === surface.hash) return null;
  if (before === undefined) return { write: { field: 'addComment', input: { subjectId, body } }, surface };
  return { write: { field: 'updateIssueComment', input: { id: before.nodeId, body } }, surface };
}
