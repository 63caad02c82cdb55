// Which block of the configuration was a planned resource made from?
import { isRecord } from './exact-json.ts';
import type { PlannedResource } from './plan-json.ts';

type Block = Readonly<Record<string, unknown>>;

/** Null when there is no such block, as of a resource that is left over in the state. */
export type ConfiguredResources = (resource: PlannedResource) => Block | null;

/** `configuration`: of the plan's JSON. */
export function createConfiguredResources(configuration: unknown): ConfiguredResources {
  const blocks = new Map<string, Block>();
  const root = isRecord(configuration) ? configuration.root_module : null;
  const modules = [{ path: '', module: root }];
  for (const { path, module } of modules) {
    if (!isRecord(module)) continue;
    const resources: readonly unknown[] = Array.isArray(module.resources) ? module.resources : [];
    for (const each of resources.filter(isRecord)) blocks.set(keyOf(path, each), each);
    for (const [name, call] of Object.entries(isRecord(module.module_calls) ? module.module_calls : {}))
      modules.push({ path: `${path}module.${name}.`, module: isRecord(call) ? call.module : null });
  }
  return (resource) => blocks.get(keyOf(pathOf(resource), resource)) ?? null;
}

/** Instances of one module share their code. */
const pathOf = ({ module_address: address }: PlannedResource): string =>
  address === undefined ? '' : `${address.replaceAll(instanceKey, '')}.`;

/** `[0]` or `["key"]`. */
const instanceKey = /\[(?:\d+|"(?:\\.|[^"\\])*")\]/g;

const keyOf = (path: string, { mode, type, name }: Block): string => `${path}${mode} ${type}.${name}`;
