// How is a place in line written?

const suffixes: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'st', two: 'nd', few: 'rd' };
const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });

/** "1st", "2nd", "11th". */
export function ordinal(position: number): string {
  return `${position}${suffixes[ordinals.select(position)] ?? 'th'}`;
}
