// What exactly is approved: which number stands for what a plan will do?
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { PlanDigest, SourceDigest } from '../../workflows/model/identifiers.ts';
import { parsePlanDigest } from '../../workflows/model/identifiers.ts';
import type { Project } from '../../workflows/model/project.ts';
import { createConfiguredResources } from './configured-resources.ts';
import { anyDynamicBlocks } from './dynamic-blocks.ts';
import { isExactNumber, isRecord } from './exact-json.ts';
import type { LockedProvider } from './lock-file.ts';
import type { PlannedConfiguration } from './plan-file.ts';
import type { PlanDocument, PlannedChange, PlannedResource } from './plan-json.ts';
import { isUnchangedOutput, isUntouched } from './plan-json.ts';
import { isSecretVariable } from './sensitive-values.ts';
import { isPartlyUnseen } from './unseen.ts';

/**
 * The lock file as committed, and which providers init chose. The file after init says more, but how many checksums
 * it lists depends on where a provider was installed from.
 */
type LockContent = {
  readonly committed: Uint8Array | null;
  readonly selected: readonly LockedProvider[];
};

export type DigestInput = {
  readonly document: PlanDocument;
  readonly project: Pick<Project, 'dir' | 'workspace' | 'engine'>;
  readonly lock: LockContent;
  readonly sourceDigest: SourceDigest;
  /** Null where the plan file could not be looked into: then nobody knows what it hides. */
  readonly configuration: PlannedConfiguration | null;
};

/** Another value means that the same plan gets another digest, and every approval falls: change it knowingly. */
const digestVersion = 2;

/**
 * SHA-256 over what will be done: every resource change that is
 * no no-op, output changes, project, workspace, engine and version, provider configuration, lock file. Nothing that
 * fluctuates: two plans of the same configuration on the same state have the same digest.
 *
 * Terraform tells no expressions. Where some of what will be done stands in the configuration only (`isPartlyUnseen`),
 * the digest is bound to the sources, too: to the project's files, to the modules as init found or downloaded them, and
 * to the values of variables that are not secret (those that are change with every token). Then every edit of these
 * makes another digest, however small; what is no file of the project still makes none. Attributes that only the
 * provider computes bind nothing, or every create would be bound.
 */
export function planDigest({
  document,
  project,
  lock,
  sourceDigest,
  configuration,
}: DigestInput): PlanDigest {
  const configured = createConfiguredResources(document.configuration);
  const unseen = isPartlyUnseen(document, configured, configuration?.dynamic ?? anyDynamicBlocks);
  const content = {
    digestVersion,
    project: { dir: project.dir, workspace: project.workspace },
    engine: { name: project.engine, version: document.terraform_version },
    resources: document.resource_changes
      .filter((resource) => !isUntouched(resource))
      .sort((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1))
      .map((resource) => ({
        ...resourceContent(resource),
        // Of several of one kind a resource may use another; its address does not say which.
        provider: configured(resource)?.provider_config_key ?? null,
      })),
    outputs: Object.entries(document.output_changes)
      .filter(([, change]) => !isUnchangedOutput(change))
      .map(([name, change]) => ({ name, ...changeContent(change) })),
    // The same create in another account is another thing to do.
    providers: providerConfiguration(document.configuration),
    source: unseen
      ? { files: sourceDigest, modules: configuration?.sha256 ?? null, variables: openVariables(document) }
      : null,
    lockFile: lock.committed === null ? null : sha256(lock.committed),
    selected: lock.selected.map(({ address, version }) => `${address} ${version}`).sort(),
  };
  return parsePlanDigest(sha256(canonicalize(unambiguous(content)) ?? ''));
}

/** One address can stand twice: once for the object, once for a deposed one. */
function sortKey({ address, deposed }: PlannedResource): string {
  return `${address}\n${deposed ?? ''}`;
}

function resourceContent(resource: PlannedResource): object {
  return {
    address: resource.address,
    previous: resource.previous_address ?? null,
    deposed: resource.deposed ?? null,
    importing: resource.change.importing ?? null,
    ...changeContent(resource.change),
  };
}

function changeContent(change: PlannedChange): object {
  return {
    actions: change.actions,
    before: change.before ?? null,
    after: change.after ?? null,
    unknown: change.after_unknown ?? null,
    beforeSensitive: change.before_sensitive ?? null,
    afterSensitive: change.after_sensitive ?? null,
    replacePaths: change.replace_paths ?? [],
  };
}

function providerConfiguration(configuration: unknown): unknown {
  return (isRecord(configuration) ? configuration.provider_config : undefined) ?? null;
}

/** What var files set is a source as well; of the rest, this is what the runner's environment sets. */
function openVariables({ variables, configuration }: PlanDocument): object {
  const open = Object.entries(variables).filter(([name]) => !isSecretVariable(configuration, name));
  return Object.fromEntries(open.map(([name, { value }]) => [name, value ?? null]));
}

/**
 * Canonical JSON writes numbers as doubles. A number that is kept as text becomes a text that no string can be
 * taken for, since every string gets a mark in front.
 */
function unambiguous(value: unknown): unknown {
  if (typeof value === 'string') return `s${value.toWellFormed()}`;
  if (isExactNumber(value)) return `n${JSON.stringify(value)}`;
  if (Array.isArray(value)) return value.map(unambiguous);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unambiguous(item)]));
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
