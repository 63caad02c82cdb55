// Why was something refused, and what can the person do about it?

import type { Refusal, StaleReason } from '../../workflows/model/apply.ts';
import type { MissingApproval } from '../../workflows/model/approval.ts';
import type { CommandRefusal } from '../../workflows/port/answer.ts';
import { lossWords, peopleList } from './approvals.ts';
import { barRemedy, barWords } from './branch-bar.ts';
import { unmetWords } from './checklist.ts';
import { cutText, inlineCode, inlineText, person } from './markdown.ts';
import { managedSentence } from './state-manager.ts';
import { unwrittenSentence } from './unwritten-state.ts';
import { denialRemedy } from './verdicts.ts';
import { maxNameLength, moment, named, nameList, plural } from './wording.ts';

const staleReasons: Record<StaleReason, string> = {
  'head moved': 'a newer push has come',
  'base moved': 'the base branch has moved',
  'digest changed': 'planning again gave another result than the one shown',
  'state changed': 'the state has changed since',
  'applied elsewhere': 'another pull request has applied something since',
  'configuration changed': 'hatchet.yaml has changed since',
  'too old': 'it was made weeks ago',
  'plan used': 'it was tried or called back before, and a plan is handed out once',
  'policies changed': 'the policies have changed since',
  'dependency applied': 'what it depends on was applied, and planning again gave another result',
};

const maxReason = 500;
/** Projects that are listed for someone who mistyped one. */
const maxProjects = 20;

/** Is the refusal about what was typed? Then it stands alone; all others say which command was refused. */
export function isMistyped({ kind }: Refusal | CommandRefusal): boolean {
  return kind === 'unknown-verb' || kind === 'unknown-project' || kind === 'bad-arguments';
}

/** One or two sentences of Markdown, without a capital at the start: they follow a name or a colon. */
export function refusalSentence(refusal: Refusal | CommandRefusal): string {
  switch (refusal.kind) {
    case 'not-planned':
      return `${named(refusal.project)} is not planned yet. Comment \`/hatchet plan\`, or wait for its plan.`;
    case 'plan-failed':
      return `${named(refusal.project)} could not be planned. Fix the error on the hatchet/plan check and push.`;
    case 'stale':
      return `the plan of ${named(refusal.project)} is out of date: ${staleReasons[refusal.reason]}. Look at the new plan, then ask again.`;
    case 'not-judged':
      return `the policies have not answered yet for ${named(refusal.project)}. Ask again when hatchet/policy is done.`;
    case 'denied':
      return deniedSentence(refusal);
    case 'rejected':
      return `${person(refusal.by)} rejected the plan of ${named(refusal.project)}. It is blocked until ${person(refusal.by)} approves or the plan changes.`;
    case 'approvals-missing':
      return missingSentence(refusal.project, refusal.missing);
    case 'requirements-unmet':
      return `${named(refusal.project)} may not be applied yet: ${refusal.unmet.map(unmetWords).join('; ')}.`;
    case 'approval-lost':
      return `${lostWords(refusal.lost)}. ${missingSentence(refusal.project, refusal.missing)}`;
    case 'branch-barred':
      return `${barWords(refusal.bar)}. ${barRemedy(refusal.bar)}`;
    case 'asker-denied':
      return `${person(refusal.login)} may not apply ${named(refusal.project)} any more: it takes ${refusal.needs} access. Somebody who has it can comment \`/hatchet apply\`.`;
    case 'draft':
      return 'this is a draft. Mark it as ready for review first.';
    case 'closed':
    case 'pull-request-closed':
      return 'the pull request is closed, so nothing more is planned or applied here.';
    case 'already-applied':
      return `${named(refusal.project)} is applied already; there is nothing left to do.`;
    case 'apply-failed':
      return `the last apply of ${named(refusal.project)} did not succeed, and a plan is applied at most once. Comment \`/hatchet plan\` to see what is left.`;
    case 'withdrawn':
      return `the request for ${named(refusal.project)} was withdrawn before its turn came. Comment \`/hatchet apply\` to ask again.`;
    case 'state-unwritten':
      return unwrittenSentence(refusal.project, refusal.state);
    case 'managed-elsewhere':
      return managedSentence(refusal.project, refusal.manager);
    case 'frozen':
      return `${named(refusal.project)} is frozen: ${inlineText(cutText(refusal.reason, maxReason))}. Someone with write has to look at what is there and decide.`;
    case 'dependency-failed':
      return `${named(refusal.project)} was not applied, because ${nameList(refusal.dependencies)} was not. When that is applied, ${inlineCode('/hatchet apply')} goes on with what is missing.`;
    case 'superseded':
      return `a newer merge of #${refusal.by} was applied to ${named(refusal.project)}, and it contains this one. An older merge is never applied over a newer one.`;
    case 'newer-unfinished':
      return `the apply of the newer merge of #${refusal.by} to ${named(refusal.project)} did not come to its end, and it contains this one. #${refusal.by} has to be repaired first: comment \`/hatchet plan\` there and apply that; nothing is left to do here then.`;
    case 'diverged':
      return `#${refusal.by} has applied something to ${named(refusal.project)} that is not part of what this pull request stands on. Look at the new plan; going over it takes an approval.`;
    case 'out-of-order':
      return `${named(refusal.project)} belongs to #${refusal.owner}, and this pull request holds ${nameList(refusal.holds)}, which comes after it: waiting for each other, both could wait for ever. Give that up with \`/hatchet unlock\`, or ask again when #${refusal.owner} is done.`;
    case 'dependency-open':
      return `${named(refusal.project)} depends on ${nameList(refusal.dependencies)}, which has to be applied first.`;
    default:
      return commandSentence(refusal);
  }
}

function deniedSentence(refusal: Extract<Refusal, { kind: 'denied' }>): string {
  const { policies, project, unevaluated = false } = refusal;
  const [one, many] = unevaluated ? ['blocks', 'block'] : ['denies', 'deny'];
  return `${nameList(policies)} ${policies.length === 1 ? one : many} ${named(project)}. No approval can change that: see why on hatchet/policy, then ${denialRemedy(refusal)}`;
}

function commandSentence(refusal: Exclude<CommandRefusal, { kind: 'pull-request-closed' }>): string {
  switch (refusal.kind) {
    case 'unknown-verb':
      return `there is no command ${named(refusal.word)}.${suggestion(refusal.nearest)} Comment \`/hatchet help\` for all commands.`;
    case 'unknown-project':
      return `there is no project ${named(refusal.word)}.${suggestion(refusal.nearest)} ${projectsHere(refusal.projects)}`;
    case 'bad-arguments':
      return `${inlineText(cutText(refusal.problem, maxReason))}. Comment \`/hatchet help\` for all commands.`;
    case 'not-allowed':
      return `it takes ${refusal.needs} access to this repository. Ask someone who has it.`;
    case 'not-supported':
      return `${named(refusal.what)} is not there yet.`;
    case 'no-override':
      return refusal.by.length === 0
        ? 'hatchet.yaml names nobody who may override a policy.'
        : `hatchet.yaml does not name you. Ask ${peopleList(refusal.by, 'or')}.`;
    case 'own-override':
      return 'in your own pull request somebody else has to override.';
    case 'nothing-to-override':
      return 'no policy denies this, or it could not be evaluated: then it has to be mended.';
    case 'own-approval':
      return "your own pull request needs someone else's yes.";
    case 'trouble':
      return `something went wrong that is not your fault. Ask again; whoever runs Hatchet finds the cause in its log under ${inlineCode(refusal.deliveryId)}.`;
    case 'approve-elsewhere':
      return `hatchet.yaml takes approvals only by ${refusal.ways.join(' or ')}.`;
    case 'outweighed':
      return refusal.stands === 'yes'
        ? `you approved ${named(refusal.project)} after you wrote this. Comment \`/hatchet reject\` again if it still holds.`
        : `your own no to ${named(refusal.project)} stands: only what GitHub tells to be later takes it back, and of a click it tells no time. Comment \`/hatchet approve\`.`;
    case 'plan-changed':
      return refusal.project === ''
        ? 'a newer push has come since, look again.'
        : `the plan of ${named(refusal.project)} changed after you wrote this, look again.`;
    case 'still-planning':
      return 'the newest commit is still being planned. Look at the result, then ask again.';
    case 'fork-needs-sha':
      return `this is not from somebody with write, so say which commit you looked at: ${inlineCode(`/hatchet plan ${refusal.head.slice(0, 7)}`)}.`;
    case 'nothing-to-approve':
      return 'nothing here waits for an approval.';
    case 'nothing-unknown':
      return 'no apply here has an unknown outcome.';
    case 'not-compared':
      return `nobody has looked yet at what the apply of ${named(refusal.project)} has done. Comment \`/hatchet plan\` to have it looked at now.`;
    case 'maybe-at-work':
      return `contact with the runner of ${named(refusal.project)} was lost, and Terraform may still be at work there. Ask again when the comment says that it is over, or after ${moment(refusal.until)}. Whoever knows that it is over comments ${inlineCode('/hatchet unlock')} instead.`;
    case 'no-own-lock':
      return 'no lock of Terraform was found that the lost apply had left behind.';
    case 'button-outdated':
      return 'that button stood below an earlier state of things. Look at the newest checks, then decide there.';
    case 'begun':
      return `${named(refusal.project)} is being applied already: a runner has it, and Terraform is at work. Comment \`/hatchet cancel\` twice to stop that; what is done by then stays done.`;
    case 'applying':
      return 'an apply is running. Ask again when it is done.';
    case 'deleted-project':
      return `${named(refusal.project)} ends with this pull request, so only its end can be planned: ${inlineCode(`/hatchet plan ${cutText(refusal.project, maxNameLength)} --destroy`)}.`;
    default:
      return refusal satisfies never;
  }
}

const lostWords = (lost: Extract<Refusal, { kind: 'approval-lost' }>['lost']): string =>
  lost
    .map(({ login, why }) => `the approval of ${person(login)} no longer counts: ${lossWords[why]}`)
    .join('; ');

function missingSentence(project: string, missing: readonly MissingApproval[]): string {
  const count = Math.max(0, ...missing.map(({ rule, given }) => rule.count - given));
  const others = missing.some(({ rule }) => !rule.author);
  const people = missing.flatMap(({ rule }) => rule.by);
  const anyone = `Anyone ${others ? 'else ' : ''}with write can give it.`;
  const ask = people.length === 0 ? anyone : `Ask ${peopleList(people, 'or')}.`;
  return `${named(project)} needs ${plural(count, 'approval')}${others ? ' by someone other than the author' : ''}. ${ask}`;
}

function suggestion(nearest: string | null): string {
  return nearest === null ? '' : ` Did you mean ${named(nearest)}?`;
}

function projectsHere(projects: readonly string[]): string {
  if (projects.length === 0) return 'This pull request changes no project.';
  const more = projects.length - maxProjects;
  return `Projects here: ${projects.slice(0, maxProjects).map(named).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
}
