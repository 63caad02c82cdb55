// What does the record say of an apply that may begin now, or may not?

import type { Refusal } from '../workflows/model/apply.ts';
import type { ControlActivities } from '../workflows/port/control.ts';
import type { AuditEvent } from '../workflows/port/record.ts';

type Request = Parameters<ControlActivities['beginApply']>[0];

/** Appended before Terraform may start. Its end finds it by this key (migration 015). */
export function beginEvent(
  { repository, grant, runId, fence }: Request,
  answer: { readonly kind: 'begun' } | Refusal,
): { readonly key: string; readonly event: AuditEvent } {
  const { number, project, digest, trigger } = grant;
  const allowed = answer.kind === 'begun';
  return {
    key: allowed ? `apply/${runId}/begun` : `apply/${runId}/not-begun/${answer.kind}`,
    event: {
      repository,
      number,
      actor: trigger.actor,
      action: 'begin',
      target: project.name,
      digest,
      allowed,
      reason: allowed ? `${trigger.kind}, fence ${fence}` : answer.kind,
    },
  };
}
