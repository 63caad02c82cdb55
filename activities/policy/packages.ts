// Which packages of a set of Rego files judge a plan, and by which rules?
import { z } from 'zod';
import type { Diagnostic } from '../../workflows/model/diagnostic.ts';
import { operatorError } from '../faults.ts';
import type { PolicyPackage } from './bundle.ts';
import type { PolicySource } from './policy-source.ts';
import { runOpa } from './run-opa.ts';

const judgingPackage = /^(?:hatchet(?:\..+)?|main)$/;
/** Hatchet's own rules and conftest's. Source: conftest.dev, policy/engine.go. */
const judgingRule = /^(?:approve|(?:deny|violation|warn)(?:_[a-zA-Z0-9]+)*)$/;
/** Says in a result that the input reached the policy: a plan that OPA cannot parse would look like an empty one. */
export const inputMark = '#input';

export type RegoModule = {
  readonly path: string;
  readonly package: readonly string[];
  readonly rules: readonly string[];
};

const answer = z.object({
  result: z.tuple([z.object({ expressions: z.tuple([z.object({ value: z.unknown() })]) })]),
});
const regoModules = z.array(
  z.object({ path: z.string(), package: z.array(z.string()), rules: z.array(z.string()) }),
);

/** Rego asked about Rego: one process for all files, and no parser of our own. */
const modulesQuery = `[{"path": file.path, "package": names, "rules": rules} |
  some file in input
  parsed := rego.parse_module(file.path, file.text)
  names := [part.value | some i, part in parsed["package"].path; i > 0]
  rules := [rule.head.ref[0].value | some rule in object.get(parsed, "rules", [])]
]`;

/** Packages and rule names of sources that compile. */
export async function readModules(question: {
  readonly opaPath: string;
  readonly cwd: string;
  readonly sources: readonly PolicySource[];
}): Promise<readonly RegoModule[]> {
  const { opaPath, cwd, sources } = question;
  const args = ['eval', '--format', 'json', '--strict-builtin-errors', '--stdin-input', modulesQuery];
  const { ok, stdout, stderr } = await runOpa({ opaPath, cwd, args, stdin: JSON.stringify(sources) });
  if (!ok) throw operatorError(`opa eval failed: ${(stderr || stdout).trim().slice(0, 1000)}`);
  return regoModules.parse(answer.parse(JSON.parse(stdout)).result[0].expressions[0].value);
}

/** Sorted by name. A package may be spread over several files. */
export function answeringPackages(modules: readonly RegoModule[]): readonly PolicyPackage[] {
  const rules = new Map<string, Set<string>>();
  for (const module of modules.filter(isJudging)) {
    const known = rules.get(nameOf(module)) ?? new Set();
    for (const rule of module.rules) if (judgingRule.test(rule)) known.add(rule);
    rules.set(nameOf(module), known);
  }
  return [...rules.entries()]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, names], index) => ({
      name,
      rules: [...names].sort(),
      entrypoint: `hatchet_entry/p${index}`,
    }));
}

/** A package that can say nothing is a misspelt rule, not a policy that is content. Null when each has a rule. */
export function packagesWithoutAnswer(
  modules: readonly RegoModule[],
): readonly [Diagnostic, ...Diagnostic[]] | null {
  const packages = answeringPackages(modules);
  if (packages.length === 0) return [problem('there is no package hatchet, hatchet.* or main', undefined)];
  const [first, ...rest] = packages
    .filter(({ rules }) => rules.length === 0)
    .map(({ name }) => {
      const path = modules.find((module) => nameOf(module) === name)?.path;
      return problem(`package ${name} has no rule named deny, warn or approve: it would judge nothing`, path);
    });
  return first === undefined ? null : [first, ...rest];
}

/** Rego that gathers what each package says: one entrypoint a package, and only its judging rules are evaluated. */
export function entryModule(packages: readonly PolicyPackage[]): string {
  const lines = packages.flatMap(({ name, rules }, index) => [
    `p${index}[${JSON.stringify(inputMark)}] := true if is_object(input.plan)`,
    ...rules.map(
      (rule) => `p${index}[${JSON.stringify(rule)}] := ${reference(name)}[${JSON.stringify(rule)}]`,
    ),
  ]);
  return `package hatchet_entry\n\n${lines.join('\n\n')}\n`;
}

function reference(name: string): string {
  return `data${name
    .split('.')
    .map((part) => `[${JSON.stringify(part)}]`)
    .join('')}`;
}

function isJudging(module: RegoModule): boolean {
  return judgingPackage.test(nameOf(module));
}

function nameOf(module: RegoModule): string {
  return module.package.join('.');
}

function problem(summary: string, path: string | undefined): Diagnostic {
  return { severity: 'error', summary, detail: '', ...(path === undefined ? {} : { path }) };
}
