// Is what a lost apply has done told truthfully, and whose a state lock is?
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findStateLock } from '../activities/terraform/state-lock.ts';
import type { ChangeAction, PlanChanges, ResourceChange } from '../workflows/model/change.ts';
import { compareChanges, maxFatesCarried } from '../workflows/model/comparison.ts';
import { isLockId, isOwnLock } from '../workflows/model/state-lock.ts';

const change = (address: string, action: ChangeAction, value = '"1"'): ResourceChange => ({
  address,
  type: 'terraform_data',
  action,
  attributes: [
    {
      path: 'input',
      before: { kind: 'absent' },
      after: { kind: 'known', json: value },
      forcesReplacement: false,
    },
  ],
});
const changes = (...resources: readonly ResourceChange[]): PlanChanges => ({ resources, outputs: [] });

describe('what is done', () => {
  test.for([
    ['created', change('a', 'create'), null, 'done'],
    ['not created', change('a', 'create'), change('a', 'create'), 'not done'],
    ['created, and marked as broken', change('a', 'create'), change('a', 'replace'), 'different'],
    ['destroyed, and not created again', change('a', 'replace'), change('a', 'create'), 'different'],
    ['updated to something else', change('a', 'update'), change('a', 'update', '"2"'), 'different'],
    ['not destroyed', change('a', 'delete'), change('a', 'delete'), 'not done'],
    ['nothing that was approved', null, change('b', 'update'), 'different'],
    ['only read', null, change('b', 'read'), null],
  ] as const)('%s', ([, approved, now, fate]) => {
    const of = (one: ResourceChange | null): PlanChanges => changes(...(one === null ? [] : [one]));
    const { items, total, done } = compareChanges(of(approved), of(now));
    expect(items.map((item) => item.fate)).toEqual(fate === null ? [] : [fate]);
    expect({ total, done }).toEqual({ total: approved === null ? 0 : 1, done: fate === 'done' ? 1 : 0 });
  });

  test('outputs and deposed objects are told apart from resources', () => {
    const value = { before: { kind: 'absent' }, after: { kind: 'unknown' } } as const;
    const approved: PlanChanges = {
      resources: [change('a', 'update'), { ...change('a', 'delete'), deposed: 'f00d' }],
      outputs: [{ name: 'a', ...value }],
    };
    const { items } = compareChanges(approved, changes({ ...change('a', 'delete'), deposed: 'f00d' }));
    expect(items.map(({ address, fate }) => [address, fate])).toEqual([
      ['a (deposed f00d)', 'not done'],
      ['a', 'done'],
      ['output.a', 'done'],
    ]);
  });

  test('every approved change has one fate, and what is carried is bounded', () => {
    const action = fc.constantFrom<ChangeAction>('create', 'update', 'replace', 'delete', 'read', 'forget');
    const plan = fc
      .uniqueArray(fc.tuple(fc.nat(80), action), { selector: ([index]) => index })
      .map((all) => changes(...all.map(([index, each]) => change(`r${index}`, each))));
    fc.assert(
      fc.property(plan, plan, (approved, fresh) => {
        const { total, done, counts, items } = compareChanges(approved, fresh);
        const acting = (all: PlanChanges) => all.resources.filter((each) => each.action !== 'read');
        expect(total).toBe(acting(approved).length);
        expect(done).toBe(counts.done);
        const others = acting(fresh).filter(
          (each) => !acting(approved).some((one) => one.address === each.address),
        );
        expect(counts.done + counts['not done'] + counts.different).toBe(total + others.length);
        expect(items.length).toBeLessThanOrEqual(maxFatesCarried);
        const known = compareChanges(approved, changes());
        expect(known.done).toBe(known.total);
      }),
    );
  });
});

const lockInfo = `Error message: operation error S3: PutObject, StatusCode: 412
Lock Info:
  ID:        af73d604-5dff-595a-0fae-cbcc8741129b
  Path:      states/prod.tfstate
  Operation: OperationTypeApply
  Who:       root@hatchet-1
  Version:   1.11.4
  Created:   2026-11-22 08:02:25.819607136 +0000 UTC
  Info:      

Terraform acquires a state lock to protect the state`;
const refused = (detail: string) =>
  ({ severity: 'error', summary: 'Error acquiring the state lock', detail }) as const;

describe('whose lock it is (S5)', () => {
  test('is read from what Terraform says', () => {
    expect(findStateLock([refused(lockInfo)])).toEqual({
      id: 'af73d604-5dff-595a-0fae-cbcc8741129b',
      operation: 'OperationTypeApply',
      who: 'root@hatchet-1',
      created: '2026-11-22T08:02:25.819Z',
    });
    expect(
      findStateLock([{ severity: 'error', summary: 'Unsupported argument', detail: lockInfo }]),
    ).toBeNull();
  });

  test("of Terraform's HTTP backend only the id is the holder's", () => {
    const detail = `Error message: HTTP remote state already locked: ID=11111111-2222\n${lockInfo}`;
    const nobody = { operation: '', who: '', created: '' };
    expect(findStateLock([refused(detail)])).toEqual({ id: '11111111-2222', ...nobody });
  });

  const lock = {
    id: 'af73d604',
    operation: 'OperationTypeApply',
    who: 'root@hatchet-1',
    created: '2026-11-22T08:02:25.819Z',
  };
  const mark = { who: 'root@hatchet-1', since: '2026-11-22T08:02:20.000Z' };
  test.for([
    ['its own', lock, mark, true],
    ['of an apply that left no mark', lock, null, false],
    ['of another run', { ...lock, who: 'root@hatchet-2' }, mark, false],
    ['of a plan', { ...lock, operation: 'OperationTypePlan' }, mark, false],
    ['older than the apply', { ...lock, created: '2026-11-22T08:02:19.999Z' }, mark, false],
    ['without a time', { ...lock, created: '' }, mark, false],
    ['an id that would be an option', { ...lock, id: '-force' }, mark, false],
  ] as const)('%s', ([, found, left, own]) => {
    expect(isOwnLock(found, left)).toBe(own);
  });

  test.for(['-force', '', 'a b', 'a\nb', 'x'.repeat(201), '`id`', '$(id)'])('%j is no id of a lock', (id) => {
    expect(isLockId(id)).toBe(false);
  });
});
