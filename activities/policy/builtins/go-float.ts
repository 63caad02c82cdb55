// Which digits does Go write for a floating-point number?

/** What Go's verbs `f`, `e` and `g` write when no precision is given. */
const defaultPrecision = 6;
/** JavaScript writes at most this many digits behind the point of a number with an exponent. */
const maxExponentialDigits = 100;

/** The digits of a number that is not negative; null for a verb that floats do not have. */
export function floatDigits(magnitude: number, verb: string, precision: number | null): string | null {
  switch (verb) {
    case 'f':
    case 'F':
      return fixed(magnitude, precision ?? defaultPrecision);
    case 'e':
      return exponential(magnitude, precision ?? defaultPrecision);
    case 'E':
      return exponential(magnitude, precision ?? defaultPrecision).toUpperCase();
    case 'v':
    case 'g':
      return general(magnitude, precision);
    case 'G':
      return general(magnitude, precision).toUpperCase();
    default:
      return null;
  }
}

/** Go rounds halves to even, on the exact binary value; JavaScript's toFixed rounds them up. */
function fixed(magnitude: number, precision: number): string {
  let [numerator, denominator] = [magnitude, 1n];
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    denominator *= 2n;
  }
  const scaled = BigInt(numerator) * 10n ** BigInt(precision);
  const [whole, twice] = [scaled / denominator, (scaled % denominator) * 2n];
  const up = twice > denominator || (twice === denominator && whole % 2n === 1n);
  const digits = (up ? whole + 1n : whole).toString().padStart(precision + 1, '0');
  return precision === 0 ? digits : `${digits.slice(0, -precision)}.${digits.slice(-precision)}`;
}

/**
 * With an exponent of two digits or more. Null: as many digits as it takes to read the same number back. Exact
 * halves round up here, to even in Go.
 */
function exponential(magnitude: number, precision: number | null): string {
  const digits = precision === null ? undefined : Math.min(precision, maxExponentialDigits);
  return magnitude.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Without trailing zeros; below 1e-4, and from as many digits as are asked for, with an exponent. */
function general(magnitude: number, precision: number | null): string {
  const significant = precision === null ? null : Math.max(precision, 1);
  const text = exponential(magnitude, significant === null ? null : significant - 1);
  const [mantissa = '', exponentText = '0'] = text.split('e');
  const digits = mantissa.replace('.', '').replace(/0+$/, '') || '0';
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= (significant ?? defaultPrecision)) {
    return `${withPoint(digits, 1)}e${exponentText}`;
  }
  return exponent < 0 ? `0.${'0'.repeat(-exponent - 1)}${digits}` : withPoint(digits, exponent + 1);
}

function withPoint(digits: string, position: number): string {
  const whole = digits.slice(0, position).padEnd(position, '0');
  return digits.length > position ? `${whole}.${digits.slice(position)}` : whole;
}
