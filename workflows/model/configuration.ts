// Which rules hold for a project?
import { type ConfigurationFile, configurationSchema, type ProjectEntry } from './configuration-schema.ts';
import type { DependencyGraph } from './dependency-graph.ts';
import { defaultProjectName } from './project.ts';

/** What holds for a project; durations are milliseconds. */
export type Rules = Pick<
  ConfigurationFile,
  'plan' | 'apply' | 'approvals' | 'protect' | 'lock' | 'policies' | 'overrides'
>;

/** The rules of a repository: small enough to be carried along, unlike its list of projects. */
export type Configuration = Rules & {
  /** Whole rules of the projects that have some of their own, by name. */
  readonly projectRules: Readonly<Record<string, Rules>>;
  /** Absent where no project depends on another. */
  readonly dependsOn?: DependencyGraph;
};

/** What holds for one project. */
export function rulesFor({ projectRules, dependsOn: _, ...common }: Configuration, project: string): Rules {
  return Object.hasOwn(projectRules, project) ? (projectRules[project] ?? common) : common;
}

/** The same rules, and no project is anybody's own. */
export function withoutLocks({ projectRules, ...common }: Configuration): Configuration {
  const unlocked = Object.entries(projectRules).map(([name, rules]) => [name, { ...rules, lock: 'none' }]);
  return { ...common, lock: 'none', projectRules: Object.fromEntries(unlocked) };
}

/** What a repository without a hatchet.yaml has. */
export const emptyFile: ConfigurationFile = configurationSchema.parse({ version: 1 });

/** The rules in a file: a project's own keys win over the blocks of the same name. */
export function configurationOf(file: ConfigurationFile): Configuration {
  const common = rulesOf(file);
  const own = file.projects.flatMap((entry): [string, Rules][] =>
    hasOwnRules(entry) ? [[nameOf(entry), mergeRules(common, entry)]] : [],
  );
  const dependsOn = dependencyGraph(file);
  const ordered = Object.keys(dependsOn).length > 0 ? { dependsOn } : {};
  return { ...common, projectRules: Object.fromEntries(own), ...ordered };
}

/** What comes after what, as the file says. */
export function dependencyGraph({ projects }: Pick<ConfigurationFile, 'projects'>): DependencyGraph {
  const dependents = projects.filter(({ depends_on: names }) => names.length > 0);
  return Object.fromEntries(dependents.map((entry) => [nameOf(entry), entry.depends_on]));
}

const rulesOf = ({
  plan,
  apply,
  approvals,
  protect,
  lock,
  policies,
  overrides,
}: ConfigurationFile): Rules => ({
  plan,
  apply,
  approvals,
  protect,
  lock,
  policies,
  overrides,
});

const ruleKeys = ['plan', 'apply', 'approvals', 'lock', 'policies'] as const;
const hasOwnRules = (entry: ProjectEntry): boolean => ruleKeys.some((key) => entry[key] !== undefined);

function mergeRules(common: Rules, { plan, apply, approvals, lock, policies }: ProjectEntry): Rules {
  return {
    ...common,
    plan: { ...common.plan, ...written(plan) },
    apply: { ...common.apply, ...written(apply) },
    approvals: { ...common.approvals, ...written(approvals) },
    lock: lock ?? common.lock,
    policies: policies ?? common.policies,
  };
}

type Written<Block> = { [Key in keyof Block]?: Exclude<Block[Key], undefined> };

/** Only the keys that the file has. */
function written<Block extends object>(block: Block | undefined): Written<Block> {
  const entries = Object.entries(block ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Written<Block>;
}

/** What a project of the file is called. */
export const nameOf = ({ name, dir, workspace }: Pick<ProjectEntry, 'name' | 'dir' | 'workspace'>): string =>
  name ?? defaultProjectName(dir, workspace);

/** What holds without a hatchet.yaml. */
export const defaultConfiguration: Configuration = configurationOf(emptyFile);
