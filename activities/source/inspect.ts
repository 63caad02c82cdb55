// What would this pull request plan, and by which configuration?
import type { ConfigurationFound, Inspection } from '../../workflows/activities.ts';
import { maxChangedFilesCarried } from '../../workflows/activities.ts';
import { defaultConfiguration } from '../../workflows/model/configuration.ts';
import { type Diagnostic, maxDiagnosticsCarried } from '../../workflows/model/diagnostic.ts';
import type { Sha } from '../../workflows/model/identifiers.ts';
import type { PullRequest } from '../../workflows/model/pull-request.ts';
import { bringCommits } from './bring-commits.ts';
import { broken, configurationPath, maxConfigurationBytes, parseConfiguration } from './configuration.ts';
import type { Origin } from './fetch-queue.ts';
import type { HclReader } from './hcl.ts';
import { listTree } from './listing.ts';
import { createMemo } from './memo.ts';
import { type MergeResult, mergePullRequest } from './merge.ts';
import { findMergedSource } from './merged.ts';
import type { Mirror, Mirrors } from './mirror.ts';
import { readModules } from './modules.ts';
import { affectedProjects, deletedProjects } from './projects.ts';
import { findProjects, type ProjectMap } from './root-modules.ts';
import { compareTrees } from './tree-diff.ts';

/** What must be known of a pull request; `baseSha` is the base branch's tip now, not the one at the last push. */
export type SourceFacts = Pick<PullRequest, 'number' | 'state' | 'head' | 'base' | 'baseSha' | 'mergeCommit'>;

export type SourceInspection = Omit<Inspection, 'pullRequest'>;

export type SourceInspector = {
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
};

/** A project map of a large repository takes some megabytes; the base's is used by every pull request. */
const maxMapsKept = 32;
const maxMergesKept = 1_000;

type Found = { readonly base: Sha; readonly result: MergeResult };

export function createSourceInspector(options: {
  readonly mirrors: Mirrors;
  readonly hcl: HclReader;
}): SourceInspector {
  const { mirrors, hcl } = options;
  const maps = createMemo<ProjectMap>(maxMapsKept);
  const merges = createMemo<Found>(maxMergesKept);

  function mapOf({ objects }: Mirror, origin: Origin, tree: Sha): Promise<ProjectMap> {
    return maps(`${origin.repository}:${tree}`, async () => {
      const listing = await listTree(objects, tree);
      return findProjects(listing, await readModules({ objects, hcl, listing }));
    });
  }

  return {
    begin(origin, { number, base }) {
      const begun = mirrors.fetch(origin, {
        branches: base === null ? [] : [base],
        pullRequests: [number],
        commits: [],
      });
      begun.catch(() => undefined);
      return begun;
    },
    async inspect({ origin, pullRequest, begun }) {
      const wanted = wantedCommits(pullRequest);
      const mirror = await bringCommits({ mirrors, origin, pullRequest, wanted, begun });
      const { base, result } = await merges([origin.repository, ...wanted].join(':'), () =>
        findSource(mirror, pullRequest),
      );
      const { head } = pullRequest;
      const [baseTree, headTree, forkTree] = await treesOf(mirror, [base, head, result.mergeBase]);
      const changed = await compareTrees(mirror.objects, forkTree, headTree);
      const { merge } = result;
      const said = {
        changedFiles: changed.slice(0, maxChangedFilesCarried).map((path) => path.toWellFormed()),
        configuration: await readConfiguration(mirror, baseTree),
        edited: changed.includes(configurationPath)
          ? {
              problems: problemsOf(
                await readConfiguration(mirror, merge.kind === 'merged' ? merge.tree : headTree),
              ),
            }
          : null,
      };
      if (merge.kind === 'conflict') return { ...said, source: merge };
      const [before, after] = await Promise.all([
        mapOf(mirror, origin, baseTree),
        mapOf(mirror, origin, merge.tree),
      ]);
      const projects = affectedProjects(after, before, changed);
      return {
        ...said,
        source: {
          kind: 'merged',
          source: { head, base, tree: merge.tree },
          projects,
          deleted: { tree: baseTree, projects: deletedProjects(after, before) },
        },
      };
    },
  };
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
  const tree = async (sha: Sha) => {
    const commit = await mirror.objects.readCommit(sha);
    if (commit === null) throw new Error(`commit ${sha} is missing in the mirror`);
    return commit.tree;
  };
  return Promise.all([tree(commits[0]), tree(commits[1]), tree(commits[2])]);
}

async function readConfiguration({ objects }: Mirror, tree: Sha): Promise<ConfigurationFound> {
  const entry = (await objects.readTree(tree)).find((one) => one.name === configurationPath);
  if (entry === undefined) return { kind: 'valid', configuration: defaultConfiguration };
  if (entry.kind !== 'file' && entry.kind !== 'executable') return carried(broken('no regular file'));
  const bytes = await objects.readBlob(entry.sha, maxConfigurationBytes);
  if (bytes === null) throw new Error(`blob ${entry.sha} is missing in the mirror`);
  return carried(parseConfiguration(bytes));
}

function carried(found: ConfigurationFound): ConfigurationFound {
  return found.kind === 'valid'
    ? found
    : { ...found, problems: found.problems.slice(0, maxDiagnosticsCarried) };
}

function problemsOf(found: ConfigurationFound): readonly Diagnostic[] {
  return found.kind === 'broken' ? found.problems : [];
}
