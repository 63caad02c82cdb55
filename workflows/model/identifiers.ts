// Which strings must never be confused? The branded identifiers and the doors that check their shape.

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A git object name: 40 (SHA-1) or 64 (SHA-256) lowercase hex digits. */
export type Sha = Branded<string, 'Sha'>;
/** SHA-256 over what a plan will do, lowercase hex. Approvals bind to it. */
export type PlanDigest = Branded<string, 'PlanDigest'>;
/** SHA-256 over the files that a project is planned from, lowercase hex. */
export type SourceDigest = Branded<string, 'SourceDigest'>;
/** One stored plan (UUID). An apply names a plan by its id, never "the latest". */
export type PlanId = Branded<string, 'PlanId'>;
/** One attempt to plan or apply (UUID); names its log and its fence row. */
export type RunId = Branded<string, 'RunId'>;
/** GitHub's numeric id of an installation of the App. */
export type InstallationId = Branded<number, 'InstallationId'>;
/** GitHub's numeric id of a repository; names change, this does not. */
export type RepositoryId = Branded<number, 'RepositoryId'>;

const shaPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const digestPattern = /^[0-9a-f]{64}$/;
const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** TypeError when `text` is no full git object name. */
export const parseSha = (text: string): Sha => checked(text, shaPattern, 'a git object name') as Sha;
/** TypeError when `text` is no SHA-256 in lowercase hex. */
export const parsePlanDigest = (text: string): PlanDigest =>
  checked(text, digestPattern, 'a plan digest') as PlanDigest;
/** TypeError when `text` is no SHA-256 in lowercase hex. */
export const parseSourceDigest = (text: string): SourceDigest =>
  checked(text, digestPattern, 'a source digest') as SourceDigest;
/** TypeError when `text` is no UUID. */
export const parsePlanId = (text: string): PlanId => checked(text, uuidPattern, 'a plan id') as PlanId;
/** TypeError when `text` is no UUID. */
export const parseRunId = (text: string): RunId => checked(text, uuidPattern, 'a run id') as RunId;
/** TypeError when `id` is no positive integer. */
export const parseInstallationId = (id: number): InstallationId =>
  positive(id, 'an installation id') as InstallationId;
/** TypeError when `id` is no positive integer. */
export const parseRepositoryId = (id: number): RepositoryId =>
  positive(id, 'a repository id') as RepositoryId;

function checked(text: string, pattern: RegExp, what: string): string {
  if (!pattern.test(text)) throw new TypeError(`${JSON.stringify(text.slice(0, 80))} is not ${what}`);
  return text;
}

function positive(id: number, what: string): number {
  if (!Number.isSafeInteger(id) || id <= 0) throw new TypeError(`${id} is not ${what}`);
  return id;
}
