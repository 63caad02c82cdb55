// How does OPA read sizes and points in time?

const unitSizes: Readonly<Record<string, bigint>> = {
  '': 1n,
  ...Object.fromEntries(
    ['k', 'm', 'g', 't', 'p', 'e'].flatMap((letter, index) => {
      const [decimal, binary] = [1000n ** BigInt(index + 1), 1024n ** BigInt(index + 1)];
      return [
        [letter, decimal],
        [`${letter}b`, decimal],
        [`${letter}i`, binary],
        [`${letter}ib`, binary],
      ];
    }),
  ),
};
const size = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d{1,2}))?([kmgtpe]?i?b?)$/;

/** Bytes of `10KiB` or `1.5g`, cut to a whole number; null when it is no size. */
export function parseBytes(text: string): bigint | null {
  const match = size.exec(text.replaceAll('"', '').toLowerCase());
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0', unit = ''] = match;
  const unitSize = unitSizes[unit];
  if (unitSize === undefined || whole + fraction === '') return null;
  const digits = BigInt(whole + fraction) * unitSize;
  const shift = Number(exponent) - fraction.length;
  const bytes = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
  return sign === '-' ? -bytes : bytes;
}

const rfc3339 = /^(\d{4}-\d\d-\d\d)T(\d{1,2}):(\d\d:\d\d)(?:[.,](\d+))?(Z|([+-])(\d\d):(\d\d))$/;
/** What 64 bits of nanoseconds can hold: 1677-09-21 to 2262-04-11. */
const maxNanoseconds = 2n ** 63n - 1n;

/** Nanoseconds since 1970; null when it is no RFC 3339 time that Go reads. */
export function parseRfc3339(text: string): bigint | null {
  const match = rfc3339.exec(text);
  if (match === null) return null;
  const [
    ,
    date = '',
    hour = '',
    rest = '',
    fraction = '',
    ,
    sign = '+',
    offsetHours = '0',
    offsetMinutes = '0',
  ] = match;
  const local = `${date}T${hour.padStart(2, '0')}:${rest}.000Z`;
  const milliseconds = Date.parse(local);
  // JavaScript takes 24:00 and, in some engines, the 30th of February; writing it again tells.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== local) return null;
  if (Number(offsetHours) > 24 || Number(offsetMinutes) > 60) return null;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000 * (sign === '-' ? -1 : 1);
  const nanoseconds =
    BigInt(milliseconds - offset) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return nanoseconds > maxNanoseconds || nanoseconds < -maxNanoseconds ? null : nanoseconds;
}
