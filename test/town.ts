// What do three pull requests on three projects do to each other, with every message late and every person in the way?
import { expect } from 'vitest';
import type { ApplyRequest, Lock, LockMode, ProjectRequest, TurnRequest } from '../workflows/model/lock.ts';
import {
  enqueue,
  finish,
  freeLock,
  grantTurns,
  isFree,
  release,
  startNext,
  takenBy,
  withdraw,
} from '../workflows/model/lock.ts';
import type { Turn } from '../workflows/model/turn.ts';
import { isNext, nextStep } from '../workflows/model/turn.ts';

export const maxSteps = 120;

export type Move =
  /** Whatever is on its way longest in one of the channels arrives. */
  | { readonly kind: 'deliver'; readonly pick: number }
  | { readonly kind: 'plan' | 'push' | 'merge' | 'close' | 'unlock'; readonly number: number }
  /** Of its projects only one, or all. */
  | { readonly kind: 'apply'; readonly number: number; readonly only: number | null }
  | { readonly kind: 'end'; readonly project: number; readonly outcome: 'applied' | 'failed' | 'unknown' };

type News =
  | { readonly kind: 'yours' | 'queued' | 'behind' | 'applying' }
  | { readonly kind: 'taken'; readonly owner: number }
  | { readonly kind: 'finished'; readonly run: string; readonly outcome: Outcome };
type Outcome = 'applied' | 'failed' | 'unknown' | 'refused';

/** What was planned: good while neither the head nor the project has changed. */
type Planned = { readonly head: number; readonly world: number };

type Share = {
  readonly index: number;
  readonly project: { readonly dir: string; readonly workspace: string };
  turn: Turn | null;
  /** Something of it was applied here. */
  begun: boolean;
  apply: 'none' | 'held' | 'asked' | 'queued' | 'applying' | 'unknown' | 'applied';
  run: string;
  plan: Planned;
  /** With `lock: plan`: it has a plan, which it keeps only while the project is this pull request's. */
  planned: boolean;
};
type Person = {
  readonly number: number;
  head: number;
  state: 'open' | 'merged' | 'closed';
  shares: Share[];
  /** With `lock: plan`: what a round still has to take, in order; null between rounds. */
  round: Round | null;
};
/** `asked`: the first of those left was asked for, and the answer is not there yet. */
type Round = { readonly left: readonly Share[]; readonly locked: boolean; readonly asked: boolean };
type Site = { lock: Lock; before: Lock; world: number; executing: Planned | null };
type Letter = { readonly channel: string; readonly open: () => void };

/** `sets`: which projects each of the pull requests touches. */
export function createTown(sets: readonly (readonly number[])[], mode: LockMode) {
  const sites: Site[] = [0, 1, 2].map(() => ({
    lock: freeLock,
    before: freeLock,
    world: 0,
    executing: null,
  }));
  const people: Person[] = sets.map((set, index) => ({
    number: index + 1,
    head: 0,
    state: 'open',
    round: null,
    shares: set.map((project) => ({
      index: project,
      project: { dir: `p${project}`, workspace: 'default' },
      turn: null,
      begun: false,
      apply: 'none',
      run: '',
      plan: { head: 0, world: 0 },
      planned: mode !== 'plan',
    })),
  }));
  let mail: Letter[] = [];
  let [clock, runs] = [1, 0];

  const site = (index: number): Site => sites[index] ?? fail(`no project ${index}`);
  const person = (number: number): Person => people[number - 1] ?? fail(`no pull request ${number}`);

  function ask(from: Person, share: Share, request: ProjectRequest): void {
    mail.push({
      channel: `${from.number}>${share.index}`,
      open: () => hear(site(share.index), share.index, request),
    });
  }
  function tell(index: number, number: number, news: News): void {
    mail.push({ channel: `${index}>${number}`, open: () => heed(person(number), index, news) });
  }

  // The project's side, as workflows/project.ts plays it.
  function hear(at: Site, index: number, request: ProjectRequest): void {
    const { number } = request.ref;
    if (request.kind === 'apply' && at.lock.frozen !== null) {
      tell(index, number, { kind: 'finished', run: request.runId, outcome: 'refused' });
    } else if (request.kind === 'apply' || request.kind === 'turn') {
      const owner = request.waits ? null : takenBy(at.lock, number);
      if (owner === null) at.lock = enqueue(at.lock, request);
      else tell(index, number, { kind: 'taken', owner });
    }
    if (request.kind === 'release' || request.kind === 'withdraw') {
      for (const each of at.lock.queue)
        if (each.kind === 'apply' && each.ref.number === number)
          tell(index, number, { kind: 'finished', run: each.runId, outcome: 'refused' });
    }
    if (request.kind === 'release') at.lock = release(at.lock, number, request.why);
    if (request.kind === 'withdraw') at.lock = withdraw(at.lock, number);
    advance(at, index);
  }
  function advance(at: Site, index: number): void {
    const { lock, granted } = grantTurns(at.lock);
    at.lock = lock;
    for (const { ref } of granted) tell(index, ref.number, { kind: 'yours' });
    const next = startNext(at.lock, clock++);
    if (next !== null) begin(at, index, next);
    for (const each of at.lock.queue)
      tell(index, each.ref.number, { kind: each.kind === 'turn' ? 'behind' : 'queued' });
  }
  function begin(at: Site, index: number, next: Lock & { readonly running: ApplyRequest }): void {
    at.before = at.lock;
    at.lock = next;
    expect(at.executing, 'two applies at once').toBeNull();
    const { ref, runId } = next.running;
    const asking = person(ref.number);
    const plan = asking.shares.find((each) => each.index === index)?.plan ?? fail('nothing to apply');
    // What `beginApply` reads again before it writes the fence.
    const holds = plan.head === asking.head && plan.world === at.world && asking.state !== 'closed';
    if (holds) {
      at.executing = plan;
      tell(index, ref.number, { kind: 'applying' });
    } else over(at, index, runId, 'refused');
  }
  function over(at: Site, index: number, run: string, outcome: Outcome): void {
    const { running } = at.lock;
    if (running === null) return;
    const { number } = running.ref;
    const frozen = outcome === 'unknown' ? 'nobody knows' : null;
    at.lock = finish(at.lock, { frozen, refused: outcome === 'refused', before: at.before });
    tell(index, number, { kind: 'finished', run, outcome });
    advance(at, index);
  }
  function end(index: number, outcome: Exclude<Outcome, 'refused'>): void {
    const at = site(index);
    const { running } = at.lock;
    if (at.executing === null || running === null) return;
    expect(at.world, 'somebody else changed it meanwhile').toBe(at.executing.world);
    at.executing = null;
    at.world += 1;
    over(at, index, running.runId, outcome);
  }

  // The pull request's side, as workflows/taking-turns.ts plays it.
  function wish(of: Person, only: number | null): void {
    const wished = of.shares.filter(({ index }) => only === null || index === only);
    for (const share of wished.filter(({ apply, planned }) => apply === 'none' && planned)) {
      share.plan = { head: of.head, world: site(share.index).world };
      share.apply = 'held';
      if (mode !== 'none') share.turn ??= { kind: 'wanted' };
    }
    goOn(of);
  }
  function goOn(of: Person): void {
    const held = of.shares.filter(({ apply, planned }) => apply === 'held' && planned);
    for (const share of of.round === null ? held : []) {
      const owned = share.turn === null || share.turn.kind === 'yours';
      if (owned && isNext(of.shares, share.project)) start(of, share, true);
    }
    const begun = of.shares.filter((share) => share.begun || isOnItsWay(share));
    const step = nextStep(
      of.shares,
      begun.map(({ project }) => project),
    );
    if (step?.kind === 'refuse') {
      if (step.project.apply === 'held') step.project.apply = 'none';
      // Where the lock comes before the plan, it is asked for again with the next round.
      if (mode === 'plan') return;
      step.project.turn = null;
      goOn(of);
    }
    if (step?.kind !== 'ask') return;
    for (const share of step.giveBack) {
      share.turn = { kind: 'wanted' };
      share.planned = mode !== 'plan';
      ask(of, share, { kind: 'withdraw', ref: refOf(of) });
    }
    for (const share of step.projects) {
      const idle = of.round === null && share.planned;
      const alone = step.projects.length === 1 && share.apply === 'held' && idle;
      share.turn = { kind: 'asked' };
      if (alone) start(of, share, step.waits);
      else ask(of, share, turnOf(of.number, step.waits));
    }
  }
  /** As workflows/planning-turns.ts: takes the projects in order, as far as nobody else owns them. */
  function playRound(of: Person): void {
    if (mode !== 'plan' || of.state === 'closed') return;
    const left = of.shares.toSorted((one, other) => one.index - other.index);
    of.round = { left, locked: false, asked: false };
    playOn(of);
  }
  function playOn(of: Person): void {
    while (of.round !== null) {
      const { left, locked, asked } = of.round;
      const [share, ...others] = left;
      if (share === undefined) {
        of.round = null;
        goOn(of);
        return;
      }
      if (share.apply === 'none') {
        const turn = share.turn?.kind;
        if (asked && turn === 'asked') return;
        if (!locked && !asked && turn !== 'yours' && turn !== 'behind') {
          of.round = { ...of.round, asked: true };
          share.turn = { kind: 'asked' };
          const waits = !of.shares.some((each) => holds(each) && each.index > share.index);
          ask(of, share, turnOf(of.number, waits));
          return;
        }
      }
      const free = share.apply !== 'none' || (!locked && share.turn?.kind === 'yours');
      if (!free) putOff(of, share);
      else if (share.apply === 'none') {
        share.planned = true;
        share.plan = { head: of.head, world: site(share.index).world };
      }
      of.round = { left: others, locked: locked || !free, asked: false };
    }
  }
  const holds = (share: Share): boolean => share.begun || isOnItsWay(share);
  function giveBackLater(of: Person): void {
    const first = Math.min(
      ...of.shares.filter(({ turn }) => turn?.kind === 'behind').map(({ index }) => index),
    );
    for (const share of of.shares)
      if (share.index > first && share.turn?.kind === 'yours' && !holds(share)) putOff(of, share);
  }
  function putOff(of: Person, share: Share): void {
    const was = share.turn?.kind;
    share.planned = mode !== 'plan';
    if (was !== 'behind') share.turn = { kind: 'wanted' };
    if (was === 'yours') ask(of, share, { kind: 'withdraw', ref: refOf(of) });
  }
  const isOnItsWay = ({ apply }: Share): boolean => ['asked', 'queued', 'applying'].includes(apply);
  function start(of: Person, share: Share, waits: boolean): void {
    share.apply = 'asked';
    share.run = `run-${runs++}`;
    ask(of, share, requestOf(of.number, share.run, waits));
  }
  const turnOf = (number: number, waits: boolean): TurnRequest =>
    ({ kind: 'turn', ref: { number }, waits }) as unknown as TurnRequest;
  const requestOf = (number: number, runId: string, waits: boolean): ApplyRequest =>
    ({ kind: 'apply', ref: { number }, runId, mode, waits }) as unknown as ApplyRequest;
  const refOf = ({ number }: Person) => ({ number }) as unknown as ProjectRequest['ref'];
  function giveBack(of: Person, share: Share): void {
    if (share.turn === null || of.state === 'merged' || mode === 'plan') return;
    share.turn = null;
    ask(of, share, { kind: 'withdraw', ref: refOf(of) });
  }
  function letGo(of: Person, share: Share, why: 'closed' | 'unlock'): void {
    share.turn = null;
    share.begun = false;
    if (share.apply === 'held' || share.apply === 'unknown') share.apply = 'none';
    const ref = refOf(of);
    ask(of, share, { kind: 'release', ref, ...(why === 'closed' ? { why } : { why, actor: '' }) });
  }
  function heed(of: Person, index: number, news: News): void {
    const share = of.shares.find((each) => each.index === index);
    // It has left, and given everything back.
    if (share === undefined) return;
    if (news.kind === 'queued' && share.apply === 'asked') share.apply = 'queued';
    if (news.kind === 'applying' && ['asked', 'queued'].includes(share.apply)) {
      share.apply = 'applying';
      share.begun = mode !== 'none';
    }
    if (news.kind === 'taken' && share.turn !== null) {
      share.turn = { kind: 'wanted', taken: news.owner };
      if (share.apply === 'asked') share.apply = 'held';
    }
    const mine = news.kind === 'yours' || news.kind === 'applying';
    if (mine && share.turn === null && share.apply === 'none')
      ask(of, share, { kind: 'withdraw', ref: refOf(of) });
    else if (mine && mode !== 'none') share.turn = { kind: 'yours' };
    if (news.kind === 'behind' && share.turn !== null)
      share.turn = { kind: 'behind', owner: 0, position: 1, since: '' };
    giveBackLater(of);
    if (of.round !== null) playOn(of);
    else if (news.kind === 'yours' && share.turn?.kind === 'yours' && !share.planned) playRound(of);
    if (news.kind === 'finished' && news.run === share.run) finished(of, share, news.outcome);
    if (of.state === 'closed') leave(of);
    else goOn(of);
  }
  function finished(of: Person, share: Share, outcome: Outcome): void {
    if (outcome === 'refused') {
      share.apply = 'none';
      giveBack(of, share);
      if (share.turn?.kind !== 'yours') share.turn = null;
      playRound(of);
      return;
    }
    share.apply = outcome === 'failed' ? 'none' : outcome;
    share.begun = mode !== 'none';
    share.turn = mode === 'none' ? null : { kind: 'yours' };
    if (outcome === 'applied' && of.state === 'merged') letGo(of, share, 'closed');
  }
  function leave(of: Person): void {
    if (of.shares.some(({ apply }) => ['asked', 'queued', 'applying', 'unknown'].includes(apply))) return;
    for (const share of of.shares) letGo(of, share, 'closed');
    of.shares = [];
  }

  function act(of: Person, kind: Exclude<Move['kind'], 'deliver' | 'end'>, only: number | null = null): void {
    if (of.state === 'closed' && kind !== 'unlock') return;
    if (kind === 'plan') playRound(of);
    if (kind === 'apply') wish(of, only);
    if (kind === 'push' && of.state === 'open') push(of);
    if (kind === 'merge' && of.state === 'open') {
      of.state = 'merged';
      for (const share of of.shares) if (share.apply === 'applied') letGo(of, share, 'closed');
      playRound(of);
      wish(of, null);
    }
    if (kind === 'close' && of.state === 'open') {
      of.state = 'closed';
      of.round = null;
      for (const share of of.shares) if (share.apply === 'held') share.apply = 'none';
      leave(of);
    }
    if (kind === 'unlock' && !of.shares.some(({ apply }) => apply === 'asked' || apply === 'applying')) {
      for (const share of of.shares) letGo(of, share, 'unlock');
      if (of.state === 'closed') leave(of);
    }
  }
  function push(of: Person): void {
    of.head += 1;
    for (const share of of.shares) {
      if (share.apply === 'queued') ask(of, share, { kind: 'withdraw', ref: refOf(of) });
      if (share.apply === 'held') {
        share.apply = 'none';
        giveBack(of, share);
      }
    }
    playRound(of);
    goOn(of);
  }

  function deliver(pick: number): void {
    const channels = [...new Set(mail.map(({ channel }) => channel))];
    const chosen = channels[pick % Math.max(1, channels.length)];
    const letter = mail.find(({ channel }) => channel === chosen);
    if (letter === undefined) return;
    mail = mail.filter((each) => each !== letter);
    letter.open();
  }

  /** Whose apply waits for whom. */
  const waits = (number: number): readonly number[] =>
    sites.flatMap(({ lock: { queue, owner } }) =>
      owner !== null && owner !== number && queue.some(({ ref }) => ref.number === number) ? [owner] : [],
    );
  function expectNoCircle(): void {
    for (const { number } of people) {
      const reached = new Set<number>();
      const open = [...waits(number)];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (reached.has(next)) continue;
        reached.add(next);
        open.push(...waits(next));
      }
      expect(reached.has(number), `#${number} waits for itself`).toBe(false);
    }
  }
  function settle(): void {
    for (let left = 10_000; left > 0; left -= 1) {
      if (mail.length > 0) deliver(0);
      else if (sites.some(({ executing }) => executing !== null))
        for (const [index] of sites.entries()) end(index, 'applied');
      else return;
    }
    fail('it never comes to rest');
  }

  return {
    play(move: Move): void {
      if (move.kind === 'deliver') deliver(move.pick);
      else if (move.kind === 'end') end(move.project, move.outcome);
      else act(person(move.number), move.kind, move.kind === 'apply' ? move.only : null);
      if (mail.length === 0) expectNoCircle();
    },
    /** All running applies end; then everybody can end, one after the other, and every project is free. */
    endEverything(): void {
      for (let round = 0; round < 12; round += 1) {
        settle();
        expectNoCircle();
        for (const each of people.filter(({ number }) => waits(number).length === 0)) {
          if (each.shares.some(({ apply }) => apply === 'unknown')) act(each, 'unlock');
          act(each, each.state === 'merged' ? 'apply' : 'merge');
          settle();
        }
      }
      expect(sites.map(({ lock }) => isFree(lock))).toEqual([true, true, true]);
    },
  };
}

function fail(message: string): never {
  throw new Error(message);
}
