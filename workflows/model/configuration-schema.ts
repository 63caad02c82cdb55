// What may hatchet.yaml say, what does each key mean, and what holds when it says nothing?
import { z } from 'zod';

/** What a person can type in a command as one word, and see: no spaces, no globs, no flags. */
const typeableName = /^(?!-)[\p{L}\p{N}._/@+=~-]+$/u;
/** GitHub comments and check names stay readable; words of commands are cut there, too. */
const maxNameLength = 200;

export const isTypeable = (name: string): boolean => name.length <= maxNameLength && typeableName.test(name);

const minuteMs = 60_000;
const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: minuteMs, h: 60 * minuteMs };

const login = z.string().regex(/^@?[A-Za-z0-9][A-Za-z0-9_-]*(?:\/[A-Za-z0-9._-]+)?$/, 'a login or @org/team');
const projectName = z
  .string()
  .max(maxNameLength)
  .regex(typeableName, 'a name of letters, digits and `._/@+=~-`, as it is typed in commands');
/** A path of the repository: no way to write one that leaves it. */
const inside = (what: string) =>
  z
    .string()
    .max(1000)
    .regex(
      /^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\p{Cc}\p{Cs}]+$/u,
      `${what} of this repository, without \`..\``,
    );
const fileName = z
  .string()
  .max(1000)
  .regex(/^(?!\/)[^\p{Cc}\p{Cs}]+$/u, 'a path relative to `dir`');
const glob = z
  .string()
  .max(200)
  .regex(/^(?![/!])[^\p{Cc}\p{Cs}]+$/u, 'a glob that begins with neither `/` nor `!`');
const branchGlob = z
  .string()
  .max(200)
  .regex(/^(?![/!-])[^\p{Cc}\p{Cs}\s]+$/u, 'a name of a branch, or a glob of names');
/** As Terraform writes constraints. Source: developer.hashicorp.com/terraform/language/expressions/version-constraints */
const constraint = z
  .string()
  .max(200)
  .regex(
    /^ *(?:[=<>]|!=|<=|>=|~>)? *v?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?(?: *, *(?:[=<>]|!=|<=|>=|~>)? *v?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?)* *$/,
    'a version or constraints such as `1.11.4`, `~> 1.9` or `>= 1.5, < 2.0`',
  );

/** `90s`, `30m`, `2h`; milliseconds once it is read. */
const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smh]$/, 'a duration such as `90s`, `30m` or `2h`')
  .transform((text) => Number(text.slice(0, -1)) * (unitMs[text.slice(-1)] ?? 0));
const durationUnit = '`s`, `m` or `h`';

/** `./envs/prod/` and `envs/prod` are one directory. */
function normalizeDir(dir: string): string {
  const segments = dir.split('/').filter((segment) => segment !== '' && segment !== '.');
  return segments.length === 0 ? '.' : segments.join('/');
}

// Without defaults first: what a project leaves out is what the common block says.
const ownPlan = z.strictObject({
  drafts: z.boolean().meta({ description: 'Plan drafts, too, without being asked.' }),
  timeout: duration.meta({ description: 'How long one plan may take.', unit: durationUnit }),
});
const ownApply = z.strictObject({
  on: z.enum(['merge', 'comment']).meta({
    description: 'What starts an apply: merging the pull request, or a comment before it is merged.',
  }),
  require: z.array(z.enum(['approved', 'mergeable', 'up_to_date'])).meta({
    description:
      "What must be true of the pull request before an apply: an approving review of its newest commit (`approved`), mergeable but for the checks of Hatchet itself (`mergeable`), containing the tip of its base (`up_to_date`). In a merge queue only `approved` is asked for: the rest is the queue's own business.",
  }),
  timeout: duration.meta({
    description: 'How long one apply may take; then Terraform is asked to stop, as by a cancel.',
    unit: durationUnit,
  }),
  auto_merge: z.union([z.literal(false), z.enum(['merge', 'squash', 'rebase'])]).meta({
    description:
      'With `on: comment`: merge when everything is applied, and by which method. The App needs `contents: write` for it.',
  }),
});
const ownApprovals = z.strictObject({
  count: z
    .int()
    .min(0)
    .max(10)
    .meta({ description: 'How many people must say yes to a plan before it is applied.', unit: 'people' }),
  by: z.array(login).meta({
    description: 'Whose approval counts: logins and `@org/team`. Empty: anyone who may write.',
  }),
  author: z.boolean().meta({ description: "Whether the author's own approval counts." }),
  from: z
    .array(z.enum(['comment', 'button', 'review']))
    .min(1)
    .meta({
      description:
        'By which ways an approval can be given; `review`: an approving review on GitHub of the commit whose plan is on show.',
    }),
});
const lock = z.enum(['apply', 'plan', 'none']).meta({
  description:
    'From when on a pull request owns a project: its first `apply`, its first `plan` (others are planned when their turn comes), or only while it applies (`none`).',
});
const policies = z
  .array(
    z.strictObject({
      path: inside('a directory or file').meta({
        description:
          'A Rego file, or a directory with at least one at any depth; read from the base branch, `*_test.rego` left out.',
      }),
      level: z.enum(['mandatory', 'advisory']).meta({
        description: 'Whether a denial blocks (`mandatory`) or is only shown (`advisory`).',
      }),
    }),
  )
  .meta({ description: "Policies of the repository's own, beside the built-in ones." });

const overrides = z
  .strictObject({
    by: z
      .array(login)
      .default([])
      .meta({ description: 'Logins and `@org/team`, who need write as well. Empty: nobody.' }),
    author: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether they may do so in a pull request of their own.' }),
  })
  .meta({
    description:
      'Who may override a mandatory policy that denies, with a reason: `/hatchet override prod --reason "…"`.',
  });

const planMeaning = { description: 'How projects are planned.' };
const applyMeaning = { description: 'How plans are applied.' };
const approvalsMeaning = { description: 'Who must agree before an apply.' };

const plan = z
  .strictObject({
    drafts: ownPlan.shape.drafts.default(false),
    timeout: ownPlan.shape.timeout.prefault('30m'),
  })
  .meta(planMeaning);
const apply = z
  .strictObject({
    on: ownApply.shape.on.default('merge'),
    require: ownApply.shape.require.default([]),
    timeout: ownApply.shape.timeout.prefault('2h'),
    auto_merge: ownApply.shape.auto_merge.default(false),
  })
  .meta(applyMeaning);
const approvals = z
  .strictObject({
    count: ownApprovals.shape.count.default(0),
    by: ownApprovals.shape.by.default([]),
    author: ownApprovals.shape.author.default(false),
    from: ownApprovals.shape.from.default(['comment', 'button', 'review']),
  })
  .meta(approvalsMeaning);

const project = z.strictObject({
  dir: inside('a directory')
    .transform(normalizeDir)
    .meta({ description: "The root module's directory, relative to the repository; `.` for the root." }),
  name: projectName.optional().meta({
    description: 'What it is called in checks and commands. Without it: `dir`, or `dir@workspace`.',
  }),
  workspace: z
    .string()
    .regex(/^[A-Za-z0-9_.~][A-Za-z0-9_.~-]{0,89}$/, 'a name of letters, digits, `.`, `_`, `~` and `-`')
    .default('default')
    .meta({ description: 'The workspace; made when it is first planned.' }),
  engine: z.enum(['terraform', 'tofu']).optional().meta({
    description:
      'What it is planned with. Without it: `tofu` where only `*.tofu` files or an `.opentofu-version` ask for it, or `.tool-versions` names `opentofu` and no `terraform`, else `terraform`.',
  }),
  version: constraint.optional().meta({
    description:
      "The engine's version or constraints. Without it: `.terraform-version` or `.opentofu-version` nearest above, `.tool-versions`, `required_version`, the server's default.",
  }),
  var_files: z
    .array(fileName)
    .default([])
    .meta({ description: 'Passed as `-var-file`, in this order; relative to `dir`.' }),
  when_modified: z.array(glob).default([]).meta({
    description:
      'Globs relative to `dir` of more files that change it, beside those that its code names; may begin with `../`.',
  }),
  depends_on: z.array(projectName).default([]).meta({
    description:
      'Names of projects that are applied before it, and before them what they depend on. What can only be planned after them is planned then.',
  }),
  pool: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a name of letters, digits, `.`, `_` and `-`')
    .default('default')
    .meta({ description: 'The runners that it is planned and applied by.' }),
  plan: ownPlan.partial().optional().meta(planMeaning),
  apply: ownApply.partial().optional().meta(applyMeaning),
  approvals: ownApprovals.partial().optional().meta(approvalsMeaning),
  lock: lock.optional(),
  policies: policies.optional(),
});

/** The schema of hatchet.yaml. Unknown keys are errors: a misspelt safeguard must not be silently absent. */
export const configurationSchema = z.strictObject({
  version: z.literal(1).meta({ description: 'The version of this format.' }),
  autodiscover: z
    .union([
      z.boolean(),
      z.strictObject({
        include: z
          .array(glob)
          .default(['**'])
          .meta({ description: 'Globs of the directories that are looked into.' }),
        exclude: z
          .array(glob)
          .default([])
          .meta({ description: 'Globs of those that are not, all the same.' }),
      }),
    ])
    .default(true)
    .meta({
      description: 'Whether root modules that are not listed are projects, too; or in which directories.',
    }),
  projects: z.array(project).default([]).meta({
    description: 'Projects that need settings of their own. A listed directory is not discovered again.',
  }),
  branches: z.array(branchGlob).optional().meta({
    description:
      'Globs of the base branches whose pull requests may be applied; `*` stays within a part of a name, `**` does not. Only what the default branch says counts. Without it: the default branch alone.',
  }),
  plan: plan.prefault({}),
  apply: apply.prefault({}),
  approvals: approvals.prefault({}),
  protect: z.array(z.string().min(1).max(200)).default([]).meta({
    description:
      'Globs of resource addresses that no plan may destroy or replace, for example `aws_db_instance.*` or `module.prod.**`.',
  }),
  lock: lock.default('apply'),
  policies: policies.default([]),
  overrides: overrides.prefault({}),
});

/** hatchet.yaml as it was written, with what holds where it says nothing; durations are milliseconds. */
export type ConfigurationFile = z.infer<typeof configurationSchema>;
export type ProjectEntry = ConfigurationFile['projects'][number];
