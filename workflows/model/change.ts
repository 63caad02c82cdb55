// What does one resource's change look like once its secrets are gone?

export type ChangeAction = 'create' | 'update' | 'replace' | 'delete' | 'forget' | 'read' | 'move' | 'import';

/**
 * One side of an attribute. `known` carries the value as JSON text, so that integers beyond 2^53 survive.
 * A sensitive value has no text at all: what is not stored cannot leak.
 */
export type Value =
  | { readonly kind: 'absent' }
  | { readonly kind: 'known'; readonly json: string }
  | { readonly kind: 'sensitive' }
  | { readonly kind: 'unknown' };

/** `path` as in HCL: `tags["env"]`, `ingress[0].cidr_blocks`. */
export type AttributeChange = {
  readonly path: string;
  readonly before: Value;
  readonly after: Value;
  readonly forcesReplacement: boolean;
};

/** One resource that is not a no-op. `attributes` holds only what differs (everything set, for create and delete). */
export type ResourceChange = {
  readonly address: string;
  readonly type: string;
  readonly action: ChangeAction;
  readonly attributes: readonly AttributeChange[];
  readonly previousAddress?: string;
  readonly importId?: string;
  /** Terraform's `action_reason`, for example `replace_because_cannot_update`. */
  readonly reason?: string;
  /** A replacement that creates first (`create_before_destroy`). */
  readonly createFirst?: true;
  /** A leftover object of an earlier failed replacement. */
  readonly deposed?: string;
};

export type OutputChange = { readonly name: string; readonly before: Value; readonly after: Value };

/** Everything of a plan that people may see; kept in the store beside the plan file. */
export type PlanChanges = {
  readonly resources: readonly ResourceChange[];
  readonly outputs: readonly OutputChange[];
};
