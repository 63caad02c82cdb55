// What does hatchet.yaml require of the pull request, what of it is there, and who can give the rest?
import type { MergeBlock } from '../../workflows/model/mergeability.ts';
import type { Requirement, Unmet } from '../../workflows/model/requirement.ts';
import type { ProjectView, View } from '../../workflows/model/view.ts';
import { cutText } from './markdown.ts';
import { join, maxNameLength, named, nameList } from './wording.ts';

/** Of a longer list of required checks, the first ones are looked at. */
const maxBlocks = 10;

/** What each requirement is called where it holds. */
const held: Readonly<Record<Requirement, string>> = {
  approved: 'approved by a review of this commit',
  mergeable: 'mergeable',
  up_to_date: 'up to date with its base',
};

/** One line for each requirement; projects of which the same is required stand together. */
export function requirementLines({ projects }: Pick<View, 'projects'>): readonly string[] {
  const asking = projects.filter(({ required }) => required.length > 0);
  const groups = Map.groupBy(asking, ({ required }) => JSON.stringify(required));
  return [...groups.values()].flatMap((same) =>
    linesOf(same, groups.size > 1 || asking.length < projects.length),
  );
}

function linesOf(projects: readonly ProjectView[], isNamed: boolean): readonly string[] {
  const who = isNamed ? `${nameList(projects.map(({ name }) => name))}: ` : '';
  return (projects[0]?.required ?? []).map(({ requirement, unmet }) =>
    unmet === null ? `✓ ${who}${held[requirement]}` : `✗ ${who}${unmetWords(unmet)}`,
  );
}

/** "not up to date: …": what is missing, and who can give it. */
export function unmetWords(unmet: Unmet): string {
  switch (unmet.kind) {
    case 'approved':
      return `not approved: ${approvalWords[unmet.why]}`;
    case 'mergeable': {
      const shown = unmet.blocks.slice(0, maxBlocks).map(blockWords);
      const more = unmet.blocks.length - shown.length;
      return `not mergeable: ${join(more > 0 ? [...shown, `${more} more`] : shown, 'and')}`;
    }
    case 'up_to_date':
      return `not up to date: ${named(unmet.base)} has commits that this branch lacks; whoever may push to it merges or rebases`;
    default:
      return unmet satisfies never;
  }
}

const approvalWords: Readonly<Record<Extract<Unmet, { kind: 'approved' }>['why'], string>> = {
  'no review':
    'an approving review of the newest commit is missing; anyone with write who did not make it can give one',
  'changes requested': 'a review requests changes; its author can approve, or somebody dismiss it',
  'review required': 'GitHub asks for more approving reviews than there are; anyone with write can give one',
};

function blockWords(block: MergeBlock): string {
  switch (block.kind) {
    case 'conflict':
      return 'it conflicts with its base; whoever may push to the branch resolves that';
    case 'check':
      return `the required check ${named(cutText(block.check.name, maxNameLength))} ${checkWords[block.check.state]}`;
    case 'review required':
      return 'GitHub asks for more approving reviews';
    case 'changes requested':
      return 'a review requests changes';
    case 'behind':
      return 'a rule wants the branch to contain its base; whoever may push to it merges or rebases';
    case 'open conversations':
      return 'a conversation is not resolved';
    case 'unknown':
      return 'GitHub has not told yet whether it can be merged';
    case 'rules':
      return block.rules.length === 0
        ? 'GitHub blocks it and does not tell why'
        : `Hatchet cannot tell whether these rules of the base branch are met: ${nameList(block.rules)}`;
    default:
      return block satisfies never;
  }
}

const checkWords = {
  passed: 'passed',
  failed: 'failed',
  running: 'is still running',
  missing: 'is missing',
} as const;
