// Does a plan do something that is written in the configuration only, where the plan's JSON does not show it?
import type { ConfiguredResources } from './configured-resources.ts';
import type { DynamicBlocks } from './dynamic-blocks.ts';
import { isRecord } from './exact-json.ts';
import type { PlanDocument, PlannedResource } from './plan-json.ts';
import { isUnchangedOutput } from './plan-json.ts';

type Body = Readonly<Record<string, unknown>>;

/** One object as it is planned: its attributes, and beside them a mark wherever a value is known only after apply. */
type Planned = { readonly after: unknown; readonly unknown: unknown };

/**
 * True when what stands in the configuration could change without a change of the plan's JSON:
 * - a provisioner, or an action of Terraform 1.14;
 * - an argument or an output whose value is known only after apply: of its expression the JSON has the references,
 *   not the text around them. What only the provider computes, such as the `id` of every new resource, is none;
 * - an argument that is null although something is written there: so a write-only one looks, and nothing tells it from
 *   an optional one that a variable leaves out;
 * - a provider's setting that is no constant.
 * `dynamic`: blocks of which the JSON has no expressions at all.
 */
export function isPartlyUnseen(
  document: PlanDocument,
  configured: ConfiguredResources,
  dynamic: DynamicBlocks,
): boolean {
  const { configuration, action_invocations: actions } = document;
  return (
    actions.length > 0 ||
    hasProvisioners(configuration) ||
    dynamic.besideProviders ||
    Object.values(bodyOf(bodyOf(configuration).provider_config)).some(
      (provider) => !hasConstants(bodyOf(provider).expressions),
    ) ||
    document.resource_changes.some((resource) => hidesArgument(resource, configured(resource), dynamic)) ||
    Object.values(document.output_changes).some(
      (change) => !isUnchangedOutput(change) && hasMark(change.after_unknown),
    )
  );
}

/** Anywhere below: modules nest. */
function hasProvisioners(tree: unknown): boolean {
  if (Array.isArray(tree)) return tree.some(hasProvisioners);
  if (!isRecord(tree)) return false;
  return Array.isArray(tree.provisioners) || Object.values(tree).some(hasProvisioners);
}

function hidesArgument(
  { change: { actions, after, after_unknown: unknown } }: PlannedResource,
  configured: Body | null,
  dynamic: DynamicBlocks,
): boolean {
  if (!actions.some((action) => ['create', 'update', 'read'].includes(action))) return false;
  if (configured === null || unknown === true) return true;
  return hidesIn([bodyOf(configured.expressions)], [{ after, unknown }], dynamic);
}

/**
 * `bodies`: all blocks of one kind; `planned`: all objects made of them. Which came of which is not told (sets have no
 * order), so an argument counts as written in every object when it is in one block.
 */
function hidesIn(bodies: readonly Body[], planned: readonly Planned[], dynamic: DynamicBlocks): boolean {
  const names = new Set([...bodies, ...planned.map(({ unknown }) => bodyOf(unknown))].flatMap(Object.keys));
  return [...names].some((name) => {
    const expressions = bodies.flatMap((body) => (Object.hasOwn(body, name) ? [body[name]] : []));
    const values = planned.map(({ after, unknown }) => ({
      after: bodyOf(after)[name] ?? null,
      unknown: bodyOf(unknown)[name] ?? false,
    }));
    if (expressions.length === 0) return values.some(({ unknown }) => isMadeOfBlocks(name, unknown, dynamic));
    if (expressions.some(isLeaf)) return hidesValue(expressions, values);
    if (values.some(({ unknown }) => unknown === true)) return true;
    return hidesIn(expressions.flatMap(listOf).map(bodyOf), values.flatMap(elementsOf), dynamic);
  });
}

/** Parts of what only a provider computes are not known before the others: somebody wrote the blocks around them. */
const isMadeOfBlocks = (name: string, unknown: unknown, { names }: DynamicBlocks): boolean =>
  unknown === true ? names === 'any' || names.includes(name) : hasMark(unknown);

function hidesValue(expressions: readonly unknown[], values: readonly Planned[]): boolean {
  if (values.some(({ unknown }) => hasMark(unknown))) return true;
  const isNull = values.length > 0 && values.every(({ after }) => after === null);
  return isNull && expressions.some((expression) => bodyOf(expression).constant_value !== null);
}

/** Blocks of one kind stand in a list, a single one by itself. */
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

function elementsOf({ after, unknown }: Planned): readonly Planned[] {
  const marks = listOf(unknown);
  if (!Array.isArray(after)) return marks.map((mark) => ({ after, unknown: mark }));
  return after.map((item: unknown, index) => ({ after: item, unknown: marks[index] ?? false }));
}

/** An expression, as opposed to a block: of one that is neither constant nor refers to anything it has no word. */
const isLeaf = (value: unknown): boolean =>
  isRecord(value) && Object.keys(value).every((key) => key === 'constant_value' || key === 'references');

/** Nothing but constants, also in the blocks below. */
const hasConstants = (body: unknown): boolean => Object.values(bodyOf(body)).every(isConstant);

function isConstant(expression: unknown): boolean {
  if (isLeaf(expression)) return Object.hasOwn(bodyOf(expression), 'constant_value');
  return listOf(expression).every(hasConstants);
}

function hasMark(unknown: unknown): boolean {
  if (Array.isArray(unknown)) return unknown.some(hasMark);
  return unknown === true || (isRecord(unknown) && Object.values(unknown).some(hasMark));
}

const bodyOf = (value: unknown): Body => (isRecord(value) ? value : {});
