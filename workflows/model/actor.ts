// Who is acting, and what may they do here right now?

export type Permission = 'none' | 'read' | 'write' | 'admin';

/** A person with their rights as GitHub states them at this moment. */
export type Actor = {
  readonly login: string;
  readonly permission: Permission;
  /** Those of the asked-for teams (`@org/team`) that the person is an active member of. */
  readonly teams: readonly string[];
};

export function canWrite(actor: Actor): boolean {
  return actor.permission === 'write' || actor.permission === 'admin';
}
