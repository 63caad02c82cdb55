// What may a policy's words tell of a plan that it saw in clear?
import type { Mask } from '../terraform/mask.ts';
import { createMask } from '../terraform/mask.ts';
import { sensitiveValuesIn } from '../terraform/sensitive-values.ts';

/** For the sensitive values of one plan and `masks`. The plan is looked through with the first text: most have none. */
export function createAnswerMask(masks: readonly string[], planJson: Uint8Array): Mask {
  let mask: Mask | null = null;
  return (text) => {
    mask ??= createMask([...masks, ...sensitiveValuesIn(planJson)]);
    return mask(text);
  };
}

/** The same value with every text in it masked; the names of its keys are the policy's own. */
export function maskTexts(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map((item) => maskTexts(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskTexts(item, mask)]));
}
