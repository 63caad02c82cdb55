// What does a policy get to see?
import { z } from 'zod';
import type { Project } from '../../workflows/model/project.ts';
import type { JudgeRequest } from '../../workflows/port/judgement.ts';

/** What stands beside the plan in `input`; `config` is for the policies that come with Hatchet. */
export type PolicyFacts = {
  readonly project: Pick<Project, 'name' | 'dir' | 'workspace' | 'engine'>;
  readonly pr: {
    readonly number: number;
    readonly author: string;
    /** Branch name. */
    readonly base: string;
    /** Commit. */
    readonly head: string;
    readonly title: string;
    readonly labels: readonly string[];
    readonly changed_files: readonly string[];
  };
  /** `time`: ISO 8601; what `time.now_ns()` answers. */
  readonly run: { readonly trigger: string; readonly time: string };
  readonly config: JudgeRequest['rules'];
};

/**
 * `nested`: the plan stands under `input.plan` only. `flat`: its keys stand at the top of `input` as well, for
 * packages written for conftest; that doubles what has to be read.
 */
export type InputShape = 'nested' | 'flat';

export function policyFacts(
  { pullRequest, rules, trigger }: JudgeRequest,
  {
    project,
    changedFiles,
    time,
  }: { readonly project: Project; readonly changedFiles: readonly string[]; readonly time: string },
): PolicyFacts {
  const { name, dir, workspace, engine } = project;
  const { number, author, base, head, title, labels } = pullRequest;
  return {
    project: { name, dir, workspace, engine },
    pr: { number, author, base, head, title, labels, changed_files: changedFiles },
    run: { trigger, time },
    config: rules,
  };
}

/** Only what must hold for the silence of a policy to mean that nothing is wrong. */
const planShape = z.looseObject({
  format_version: z.string().regex(/^1\./),
  resource_changes: z
    .array(
      z.looseObject({
        address: z.string().min(1),
        change: z.looseObject({ actions: z.array(z.string()).min(1) }),
      }),
    )
    .optional(),
});

/**
 * The bytes of `input`. The plan's own bytes are kept as they are, because a number beyond 2^53 would not survive
 * being parsed and written again; they are parsed all the same, to be sure that they are one whole plan.
 * Throws an Error, without any of the plan's text, when they are not.
 */
export function writeInput(planJson: Uint8Array, facts: PolicyFacts, shape: InputShape): ArrayBuffer {
  const plan = checkedPlan(planJson);
  const { project, pr, run, config } = facts;
  const tail = new TextEncoder().encode(`,${JSON.stringify({ project, pr, run, config }).slice(1)}`);
  const head = shape === 'flat' ? [plan.subarray(0, plan.lastIndexOf(closingBrace)), comma] : [openingBrace];
  return joined([...head, planKey, plan, tail]);
}

/** What stands at the top of `input` beside a plan's own keys, and must not be one of them. */
const ownKeys = ['plan', 'project', 'pr', 'run', 'config'];
const closingBrace = '}'.charCodeAt(0);
const openingBrace = new TextEncoder().encode('{');
const comma = new TextEncoder().encode(',');
const planKey = new TextEncoder().encode('"plan":');

function checkedPlan(planJson: Uint8Array): Uint8Array {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(planJson));
  } catch {
    throw new Error('the plan is no well-formed JSON');
  }
  const plan = planShape.safeParse(parsed);
  if (!plan.success || ownKeys.some((key) => Object.hasOwn(plan.data, key)))
    throw new Error('the plan does not look like a Terraform plan');
  return planJson;
}

function joined(parts: readonly Uint8Array[]): ArrayBuffer {
  const whole = new ArrayBuffer(parts.reduce((sum, part) => sum + part.byteLength, 0));
  const bytes = new Uint8Array(whole);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}
