// Where does each fact of the record go?

import type { PullRequestRef } from '../workflows/model/repository.ts';
import type { RecordEntry } from '../workflows/port/record.ts';
import type { Store } from './store/store.ts';

/** Repeating it changes nothing: every fact has a name of its own in the store. */
export function recordEntry(store: Store, entry: RecordEntry): Promise<void> {
  switch (entry.kind) {
    case 'event':
      return store.events.append(entry.key, entry.event);
    case 'delivery': {
      const { deliveryId: guid, ref, what: event, subject } = entry;
      return store.deliveries.save({ guid, event, action: null, ...placeOf(ref), subject });
    }
    case 'approval':
      return store.approvals.saveApproval(placeOf(entry.ref), entry.approval);
    case 'rejection':
      return store.approvals.saveRejection(placeOf(entry.ref), entry.rejection);
    case 'override':
      return store.overrides.save(placeOf(entry.ref), entry.override);
    case 'push':
      return store.pushes.save({ repositoryId: entry.repository.id, ...entry.push });
    case 'override-withdrawal':
      return store.overrides.withdraw(placeOf(entry.ref), entry.override, entry.at);
    case 'withdrawal':
      return store.approvals.withdraw(placeOf(entry.ref), entry.approval);
    case 'lock': {
      const { key, repository, project, change } = entry;
      return store.lockEvents.append(key, { repositoryId: repository.id, ...project }, change);
    }
    default:
      return entry satisfies never;
  }
}

const placeOf = ({ repository, number }: PullRequestRef) => ({ repositoryId: repository.id, number });
