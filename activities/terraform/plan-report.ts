// What does a plan's JSON come to, in the few words that are carried on?
import type { PlanChanges } from '../../workflows/model/change.ts';
import type { PlanDigest } from '../../workflows/model/identifiers.ts';
import type { ChangeCounts, RiskyChange } from '../../workflows/model/plan.ts';
import { maxRiskyChanges } from '../../workflows/model/plan.ts';
import { countChanges, riskyChanges } from './change-action.ts';
import type { DigestInput } from './digest.ts';
import { planDigest } from './digest.ts';
import { createMask, valuesIn } from './mask.ts';
import { planChanges } from './plan-changes.ts';
import { isUnchangedOutput, isUntouched, parsePlanJson } from './plan-json.ts';
import { sensitiveValues } from './sensitive-values.ts';

/** `about` null: only the secrets are asked for. Plain data: it may be answered in another thread. */
export type PlanQuestion = {
  readonly planJson: Uint8Array;
  readonly about: (Omit<DigestInput, 'document'> & { readonly masks: readonly string[] }) | null;
};

export type PlanReport = {
  readonly engineVersion: string;
  readonly counts: ChangeCounts;
  readonly outputChanges: number;
  readonly risky: readonly RiskyChange[];
  readonly digest: PlanDigest;
  readonly changes: PlanChanges;
  /** Those of the question's masks that stand in the plan. */
  readonly masks: readonly string[];
};

export type PlanAnswer = {
  /** Values that the plan marks as sensitive. */
  readonly secrets: readonly string[];
  /** Null when only the secrets were asked for. */
  readonly report: PlanReport | null;
};

/** Errors as parsePlanJson. */
export function answerAbout({ planJson, about }: PlanQuestion): PlanAnswer {
  const text = Buffer.from(planJson.buffer, planJson.byteOffset, planJson.byteLength).toString();
  const document = parsePlanJson(text);
  const secrets = [...sensitiveValues(document)];
  if (about === null) return { secrets, report: null };
  const touched = document.resource_changes.filter((resource) => !isUntouched(resource));
  const outputs = Object.values(document.output_changes).filter((change) => !isUnchangedOutput(change));
  const report = {
    engineVersion: document.terraform_version,
    counts: countChanges(touched),
    outputChanges: outputs.length,
    risky: riskyChanges(touched).slice(0, maxRiskyChanges),
    digest: planDigest({ document, ...about }),
    changes: planChanges(document, createMask([...about.masks, ...secrets])),
    masks: valuesIn(about.masks, text),
  };
  return { secrets, report };
}
