// Which versions does a version constraint allow, as Terraform reads it?
import semver from 'semver';

/** `all` of them must hold. `exact` is the one version that is named by `=` or by itself, else null. */
export type Constraint = { readonly all: readonly Clause[]; readonly exact: string | null };

type Operator = '=' | '!=' | '>' | '>=' | '<' | '<=' | '~>';
type Clause = { readonly operator: Operator; readonly version: string; readonly segments: number };

const clausePattern =
  /^(=|!=|>=|<=|>|<|~>)?\s*v?(\d+(?:\.\d+){0,2})((?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?$/;

/** Null: this is no constraint. Source: developer.hashicorp.com/terraform/language/expressions/version-constraints. */
export function parseConstraint(text: string): Constraint | null {
  const all = text.split(',').map((part) => parseClause(part.trim()));
  if (!all.every((clause) => clause !== null)) return null;
  return { all, exact: all.find(({ operator }) => operator === '=')?.version ?? null };
}

function parseClause(text: string): Clause | null {
  const [, operator = '=', numbers, prerelease = ''] = clausePattern.exec(text) ?? [];
  if (numbers === undefined) return null;
  const segments = numbers.split('.').length;
  const version = semver.valid(`${[...numbers.split('.'), '0', '0'].slice(0, 3).join('.')}${prerelease}`);
  return version === null ? null : { operator: operator as Operator, version, segments };
}

/** Prereleases only where one is named exactly. */
export function allows({ all, exact }: Constraint, version: string): boolean {
  if (semver.prerelease(version) !== null && exact !== version) return false;
  return all.every((clause) => holds(clause, version));
}

function holds({ operator, version: wanted, segments }: Clause, version: string): boolean {
  switch (operator) {
    case '=':
      return semver.eq(version, wanted);
    case '!=':
      return !semver.eq(version, wanted);
    case '>':
      return semver.gt(version, wanted);
    case '>=':
      return semver.gte(version, wanted);
    case '<':
      return semver.lt(version, wanted);
    case '<=':
      return semver.lte(version, wanted);
    case '~>':
      return semver.gte(version, wanted) && isWithin(wanted, segments, version);
    default:
      return operator satisfies never;
  }
}

/** Only the last number that was written may grow: `~> 1.9` keeps the 1, `~> 1.9.2` the 1.9, `~> 1` nothing. */
function isWithin(wanted: string, segments: number, version: string): boolean {
  if (segments === 1) return true;
  const same = semver.major(version) === semver.major(wanted);
  return segments === 2 ? same : same && semver.minor(version) === semver.minor(wanted);
}
