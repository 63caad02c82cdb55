// What may hatchet.yaml say, and what holds when it says nothing?
import { z } from 'zod';
import { defaultProjectName } from './project.ts';

const login = z.string().regex(/^@?[A-Za-z0-9][A-Za-z0-9_-]*(?:\/[A-Za-z0-9._-]+)?$/, 'a login or @org/team');
const glob = z.string().min(1).max(200);
const projectName = z.string().min(1).max(200);
const minuteMs = 60_000;
const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: minuteMs, h: 60 * minuteMs };

/** `90s`, `30m`, `2h`; milliseconds once it is read. */
const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smh]$/, 'a duration such as `90s`, `30m` or `2h`')
  .transform((text) => Number(text.slice(0, -1)) * (unitMs[text.slice(-1)] ?? 0));

// Without defaults first: what a project leaves out is what the common block says.
const ownPlan = z.strictObject({ drafts: z.boolean(), timeout: duration });
const ownApply = z.strictObject({
  on: z.enum(['merge', 'comment']),
  require: z.array(z.enum(['approved', 'mergeable', 'up_to_date'])),
  timeout: duration,
  auto_merge: z.union([z.literal(false), z.enum(['merge', 'squash', 'rebase'])]),
});
const ownApprovals = z.strictObject({
  count: z.int().min(0).max(10),
  by: z.array(login),
  author: z.boolean(),
  from: z.array(z.enum(['comment', 'button', 'review'])),
});

const plan = z.strictObject({
  drafts: ownPlan.shape.drafts.default(false),
  timeout: ownPlan.shape.timeout.default(30 * minuteMs),
});
const apply = z.strictObject({
  on: ownApply.shape.on.default('merge'),
  require: ownApply.shape.require.default([]),
  timeout: ownApply.shape.timeout.default(120 * minuteMs),
  auto_merge: ownApply.shape.auto_merge.default(false),
});
const approvals = z.strictObject({
  count: ownApprovals.shape.count.default(0),
  by: ownApprovals.shape.by.default([]),
  author: ownApprovals.shape.author.default(false),
  from: ownApprovals.shape.from.default(['comment', 'button', 'review']),
});

const lock = z.enum(['apply', 'plan', 'none']);
const policy = z.strictObject({ path: z.string().min(1), level: z.enum(['mandatory', 'advisory']) });

const project = z.strictObject({
  dir: z.string().min(1),
  name: projectName.optional(),
  workspace: z.string().min(1).default('default'),
  engine: z.enum(['terraform', 'tofu']).optional(),
  version: z.string().min(1).optional(),
  var_files: z.array(z.string().min(1)).default([]),
  when_modified: z.array(glob).default([]),
  depends_on: z.array(projectName).default([]),
  pool: z.string().min(1).default('default'),
  plan: ownPlan.partial().optional(),
  apply: ownApply.partial().optional(),
  approvals: ownApprovals.partial().optional(),
  lock: lock.optional(),
  policies: z.array(policy).optional(),
});

/** The schema of hatchet.yaml. Unknown keys are errors: a misspelt safeguard must not be silently absent. */
export const configurationSchema = z.strictObject({
  version: z.literal(1),
  autodiscover: z
    .union([
      z.boolean(),
      z.strictObject({ include: z.array(glob).default(['**']), exclude: z.array(glob).default([]) }),
    ])
    .default(true),
  projects: z.array(project).default([]),
  plan: plan.default(plan.parse({})),
  apply: apply.default(apply.parse({})),
  approvals: approvals.default(approvals.parse({})),
  /** Resource address globs that no plan may destroy or replace. */
  protect: z.array(z.string().min(1).max(200)).default([]),
  lock: lock.default('apply'),
  policies: z.array(policy).default([]),
});

/** hatchet.yaml as it was written, with what holds where it says nothing. */
export type ConfigurationFile = z.infer<typeof configurationSchema>;
export type ProjectEntry = ConfigurationFile['projects'][number];

/** What holds for a project; durations are milliseconds. */
export type Rules = Pick<ConfigurationFile, 'plan' | 'apply' | 'approvals' | 'protect' | 'lock' | 'policies'>;

/** The rules of a repository: small enough to be carried along, unlike its list of projects. */
export type Configuration = Rules & {
  /** Whole rules of the projects that have some of their own, by name. */
  readonly projectRules: Readonly<Record<string, Rules>>;
};

/** What holds for one project. */
export function rulesFor({ projectRules, ...common }: Configuration, project: string): Rules {
  return Object.hasOwn(projectRules, project) ? (projectRules[project] ?? common) : common;
}

export const emptyFile: ConfigurationFile = configurationSchema.parse({ version: 1 });

/** The rules in a file: a project's own keys win over the blocks of the same name. */
export function configurationOf(file: ConfigurationFile): Configuration {
  const common = rulesOf(file);
  const own = file.projects.flatMap((entry): [string, Rules][] =>
    hasOwnRules(entry) ? [[nameOf(entry), mergeRules(common, entry)]] : [],
  );
  return { ...common, projectRules: Object.fromEntries(own) };
}

const rulesOf = ({ plan, apply, approvals, protect, lock, policies }: ConfigurationFile): Rules => ({
  plan,
  apply,
  approvals,
  protect,
  lock,
  policies,
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
export const nameOf = ({ name, dir, workspace }: ProjectEntry): string =>
  name ?? defaultProjectName(dir, workspace);

/** What holds without a hatchet.yaml. */
export const defaultConfiguration: Configuration = configurationOf(emptyFile);
