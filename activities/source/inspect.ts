// What would this pull request plan, and by which configuration?
import type { Logger } from 'pino';
import type { BranchBar } from '../../workflows/model/branch-bar.ts';
import { barOf } from '../../workflows/model/branch-bar.ts';
import { configurationOf, emptyFile } from '../../workflows/model/configuration.ts';
import { maxDiagnosticsCarried } from '../../workflows/model/diagnostic.ts';
import type { Sha } from '../../workflows/model/identifiers.ts';
import type { Project } from '../../workflows/model/project.ts';
import type { PullRequest } from '../../workflows/model/pull-request.ts';
import type { ConfigurationFound, Inspection } from '../../workflows/port/inspection.ts';
import { findActivated, findAdded, findAffected, findDeleted, findUnlisted } from './affected.ts';
import { bringCommits } from './bring-commits.ts';
import { type CodeMap, mapCode } from './code-map.ts';
import {
  broken,
  type ConfigurationText,
  type FileFound,
  judgeConfiguration,
  maxConfigurationBytes,
  readConfiguration,
} from './configuration.ts';
import { configurationPath } from './configuration-path.ts';
import type { Origin } from './fetch-queue.ts';
import type { HclReader } from './hcl.ts';
import { entryAt, listTree } from './listing.ts';
import { createMemo } from './memo.ts';
import { type MergeResult, mergePullRequest } from './merge.ts';
import { findMergedSource } from './merged.ts';
import type { Mirror, Mirrors } from './mirror.ts';
import { isRegular, readModules } from './modules.ts';
import type { Objects } from './objects.ts';
import { addPlannedModules, type ReadPlannedModules } from './planned-modules.ts';
import { describeProjects } from './projects.ts';
import { type Relation, relateCommits } from './relation.ts';
import { findProjects, type RepositoryProject, type RepositoryProjects } from './repository-projects.ts';
import { createSmallFiles } from './small-files.ts';
import { readToolEngines } from './tool-versions.ts';
import { compareTrees } from './tree-diff.ts';

/** What must be known of a pull request; `baseSha` is the base branch's tip now, not the one at the last push. */
export type SourceFacts = Pick<PullRequest, 'number' | 'state' | 'head' | 'base' | 'baseSha' | 'mergeCommit'>;

export type SourceInspection = Omit<
  Inspection,
  | 'pullRequest'
  | 'standing'
  | 'poolWaitMs'
  | 'leftBehind'
  | 'unwritten'
  | 'unapplied'
  | 'barred'
  | 'editedPolicies'
> & {
  /** Paths of all files that the pull request changes, sorted. */
  readonly changedFiles: readonly string[];
};

export type SourceInspector = {
  /** How `mine` stands to `other`; both are brought into the mirror. */
  relate(request: {
    readonly origin: Origin;
    readonly pullRequest: Pick<PullRequest, 'number' | 'base'>;
    readonly mine: Sha;
    readonly other: Sha;
  }): Promise<Relation>;
  /**
   * Why nothing may be applied from `base`, as hatchet.yaml on the default branch says; null: it may. `tip`: the
   * commit whose hatchet.yaml counts.
   */
  findBar(request: {
    readonly origin: Origin;
    readonly pullRequest: Pick<PullRequest, 'number' | 'base'>;
    readonly defaultBranch: { readonly name: string; readonly tip: Sha } | null;
  }): Promise<BranchBar | null>;
  /**
   * Starts to fetch before the pull request's facts are known. `base` is a guess (the last known base, the default
   * branch) or null. A failure is told only when `inspect` cannot do without.
   */
  begin(origin: Origin, hint: { readonly number: number; readonly base: string | null }): Promise<unknown>;
  /**
   * UserError: the branches share no history, or the tree cannot be checked out. OperatorError: the repository
   * cannot be fetched with this token. Everything the pull request's people got wrong otherwise is in the result.
   */
  inspect(request: {
    readonly origin: Origin;
    readonly pullRequest: SourceFacts;
    /** What `begin` gave, when it was called. */
    readonly begun: Promise<unknown> | null;
  }): Promise<SourceInspection>;
  /** Every project that there is once it is merged; where it conflicts, none. Errors as `inspect`. */
  findLiving(request: { readonly origin: Origin; readonly pullRequest: SourceFacts }): Promise<Living>;
};

/** `added`: those that the base does not have, also where hatchet.yaml, as the pull request has it, makes them. */
export type Living = {
  readonly projects: readonly Project[];
  readonly added: readonly Project[];
};

/** A map of a large repository takes some megabytes; the base's is used by every pull request. */
const maxMapsKept = 32;
const maxMergesKept = 1_000;
/** A parsed file of some hundred projects takes a megabyte. */
const maxConfigurationsKept = 100;
/** Enough to look for them. */
const maxUntracedNamed = 20;

type Found = { readonly base: Sha; readonly result: MergeResult };
/** One tree: its code, and what its hatchet.yaml says of it. */
type Tree = { readonly map: CodeMap; readonly found: FileFound };

export function createSourceInspector(options: {
  readonly mirrors: Mirrors;
  readonly hcl: HclReader;
  readonly plannedModules: ReadPlannedModules;
  readonly log: Pick<Logger, 'info'>;
}): SourceInspector {
  const { mirrors, hcl, plannedModules, log } = options;
  const trees = createMemo<Tree>(maxMapsKept);
  const bases = createMemo<RepositoryProjects>(maxMapsKept);
  const merges = createMemo<Found>(maxMergesKept);
  const texts = createMemo<ConfigurationText>(maxConfigurationsKept);

  const treeOf = ({ objects }: Mirror, { repository }: Origin, tree: Sha): Promise<Tree> =>
    trees(`${repository}:${tree}`, async () => {
      const listing = await listTree(objects, tree);
      const [modules, toolEngines] = await Promise.all([
        readModules({ objects, hcl, listing }),
        readToolEngines(listing, createSmallFiles(objects)),
      ]);
      const map = mapCode(listing, modules, toolEngines);
      return { map, found: await findFile(objects, map) };
    });

  async function findFile(objects: Objects, map: CodeMap): Promise<FileFound> {
    const entry = entryAt(map.listing, configurationPath);
    if (entry === undefined) return { kind: 'valid', file: emptyFile };
    if (!isRegular(entry)) return broken('no regular file');
    const read = await texts(entry.sha, async () => {
      const bytes = await objects.readBlob(entry.sha, maxConfigurationBytes);
      if (bytes === null) throw new Error(`blob ${entry.sha} is missing in the mirror`);
      return readConfiguration(bytes);
    });
    return judgeConfiguration(read, map);
  }

  /** Projects of the base, which every pull request needs, and those of the merge, by the configuration of the base. */
  async function findBoth(origin: Origin, base: Tree, baseTree: Sha, merged: Tree) {
    const file = base.found.kind === 'valid' ? base.found.file : emptyFile;
    const before = await bases(`${origin.repository}:${baseTree}`, async () => findProjects(base.map, file));
    return { before, now: base === merged ? before : findProjects(merged.map, file) };
  }

  async function findMerge(origin: Origin, pullRequest: SourceFacts, begun: Promise<unknown> | null) {
    const wanted = wantedCommits(pullRequest);
    const mirror = await bringCommits({ mirrors, origin, pullRequest, wanted, begun });
    // While GitHub merges, the base branch can stand on the merge commit already: open or merged, it means something else.
    const of = [origin.repository, pullRequest.state, ...wanted].join(':');
    return { mirror, ...(await merges(of, () => findSource(mirror, pullRequest))) };
  }

  /** What was merged after it. */
  async function findAtTip(mirror: Mirror, origin: Origin, pullRequest: SourceFacts) {
    const { baseSha } = pullRequest;
    await bringCommits({ mirrors, origin, pullRequest, wanted: [baseSha], begun: null });
    const tree = await treeOfCommit(mirror, baseSha);
    const tip = await treeOf(mirror, origin, tree);
    return (await findBoth(origin, tip, tree, tip)).before.projects;
  }

  return {
    async relate({ origin, pullRequest, mine, other }) {
      const wanted = [mine, other];
      const mirror = await bringCommits({ mirrors, origin, pullRequest, wanted, begun: null });
      return relateCommits(mirror, mine, other);
    },
    async findBar({ origin, pullRequest: { number, base }, defaultBranch }) {
      if (defaultBranch === null) return { kind: 'no-default-branch', base };
      const { name, tip } = defaultBranch;
      const pullRequest = { number, base: name };
      const mirror = await bringCommits({ mirrors, origin, pullRequest, wanted: [tip], begun: null });
      const { found } = await treeOf(mirror, origin, await treeOfCommit(mirror, tip));
      if (found.kind === 'broken') return { kind: 'broken', base, defaultBranch: name };
      return barOf({ base, defaultBranch: name }, found.file.branches);
    },
    begin(origin, { number, base }) {
      const begun = mirrors.fetch(origin, {
        branches: base === null ? [] : [base],
        pullRequests: [number],
        commits: [],
      });
      begun.catch(() => undefined);
      return begun;
    },
    async findLiving({ origin, pullRequest }) {
      const { mirror, base, result } = await findMerge(origin, pullRequest, null);
      if (result.merge.kind === 'conflict') return { projects: [], added: [] };
      const baseTree = await treeOfCommit(mirror, base);
      const [was, is] = await Promise.all([
        treeOf(mirror, origin, baseTree),
        treeOf(mirror, origin, result.merge.tree),
      ]);
      const { before, now } = await findBoth(origin, was, baseTree, is);
      const since = pullRequest.state === 'merged' ? await findAtTip(mirror, origin, pullRequest) : [];
      return {
        projects: [...now.projects, ...since],
        added: findAdded([...now.projects, ...(findAfter(is)?.projects ?? [])], before.projects),
      };
    },
    async inspect({ origin, pullRequest, begun }) {
      const { mirror, base, result } = await findMerge(origin, pullRequest, begun);
      const { head } = pullRequest;
      const [baseTree, headTree, forkTree] = await treesOf(mirror, [base, head, result.mergeBase]);
      const { merge } = result;
      const [changed, was, is] = await Promise.all([
        compareTrees(mirror.objects, forkTree, headTree),
        treeOf(mirror, origin, baseTree),
        treeOf(mirror, origin, merge.kind === 'merged' ? merge.tree : headTree),
      ]);
      const said = {
        changedFiles: changed.map((path) => path.toWellFormed()),
        configuration: carried(was.found),
        edited: findEdit(changed, was.found, is.found),
        containsBase: result.mergeBase === base,
      };
      if (merge.kind === 'conflict') return { ...said, source: merge };
      const { before, now: named } = await findBoth(origin, was, baseTree, is);
      const now = await addPlannedModules({ read: plannedModules, log }, origin.repository, named);
      const affected = findAffected(now, before, changed);
      logUntraced(log, origin, affected);
      const files = createSmallFiles(mirror.objects);
      const gone = findDeleted(now, before);
      const after = changed.includes(configurationPath) ? findAfter(is) : null;
      const unlisted = after === null ? [] : findUnlisted(after, before, gone);
      const activated = after === null ? [] : findActivated(after, named);
      const [projects, deleted] = await Promise.all([
        describeProjects(now, affected, files),
        describeProjects(before, [...gone, ...unlisted], files),
      ]);
      return {
        ...said,
        ...(said.edited === null || activated.length === 0
          ? {}
          : { edited: { ...said.edited, entries: activated.map(({ name }) => name) } }),
        source: {
          kind: 'merged',
          source: { head, base, tree: merge.tree },
          forkedAt: result.mergeBase,
          projects,
          deleted: {
            tree: baseTree,
            projects: deleted,
            ...(unlisted.length === 0 ? {} : { unlisted: unlisted.map(({ name }) => name) }),
          },
        },
      };
    },
  };
}

/** What the edited hatchet.yaml says counts from the merge on; what is broken brings no such moment. */
const findAfter = ({ map, found }: Tree): RepositoryProjects | null =>
  found.kind === 'valid' ? findProjects(map, found.file) : null;

/**
 * A pull request can break the configuration without a change to it, by deleting what it names: merging it would stop
 * every other one as well.
 */
function findEdit(changed: readonly string[], was: FileFound, is: FileFound): SourceInspection['edited'] {
  const problems = is.kind === 'broken' ? is.problems.slice(0, maxDiagnosticsCarried) : [];
  if (changed.includes(configurationPath)) return { problems };
  return problems.length > 0 && was.kind === 'valid' ? { problems } : null;
}

/** OpenTofu may compute a module's source when it runs: such a project is affected by every module that may be meant. */
function logUntraced(
  log: Pick<Logger, 'info'>,
  { repository }: Origin,
  projects: readonly RepositoryProject[],
): void {
  for (const { name, inputs } of projects) {
    const modules = inputs().untraced.slice(0, maxUntracedNamed);
    if (modules.length > 0)
      log.info({ repository, project: name, modules }, 'modules with a computed source');
  }
}

/** The commits that everything else is reached from; the first is the head. */
function wantedCommits({ state, head, baseSha, mergeCommit }: SourceFacts): readonly [Sha, Sha] {
  return [head, state === 'merged' && mergeCommit !== null ? mergeCommit : baseSha];
}

async function findSource(
  mirror: Mirror,
  { state, head, baseSha, mergeCommit }: SourceFacts,
): Promise<Found> {
  if (state !== 'merged' || mergeCommit === null) {
    return { base: baseSha, result: await mergePullRequest(mirror, baseSha, head) };
  }
  const { base, tree, mergeBase } = await findMergedSource(mirror, head, mergeCommit);
  return { base, result: { merge: { kind: 'merged', tree }, mergeBase } };
}

async function treesOf(mirror: Mirror, commits: readonly [Sha, Sha, Sha]): Promise<[Sha, Sha, Sha]> {
  const [first, second, third] = commits;
  return Promise.all([
    treeOfCommit(mirror, first),
    treeOfCommit(mirror, second),
    treeOfCommit(mirror, third),
  ]);
}

async function treeOfCommit(mirror: Mirror, sha: Sha): Promise<Sha> {
  const commit = await mirror.objects.readCommit(sha);
  if (commit === null) throw new Error(`commit ${sha} is missing in the mirror`);
  return commit.tree;
}

function carried(found: FileFound): ConfigurationFound {
  return found.kind === 'valid'
    ? { kind: 'valid', configuration: configurationOf(found.file) }
    : { ...found, problems: found.problems.slice(0, maxDiagnosticsCarried) };
}
