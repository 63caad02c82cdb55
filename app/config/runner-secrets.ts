// Which texts are secrets among what Terraform is given?

/** Names that people give to credentials: what they hold is a secret, whatever it looks like. */
const secretName = /KEY|SECRET|TOKEN|PASS|PWD|CREDENTIAL|PRIVATE|DSN/i;

/** Names of what stands in every address and every plan. */
const openName =
  /(?:^|_)(?:REGION|ZONE|LOCATION|PROFILE|PROJECT(?:_ID)?|(?:ACCOUNT|TENANT|SUBSCRIPTION|CLIENT)_ID|LANG|LC_[A-Z]+|TZ)$/i;

/** What a key file says beside the key. Source: cloud.google.com/iam/docs/keys-create-delete. */
const openKey = /^(?:type|project_id|client_id|client_email|universe_domain|\w+_ur[il])$/;

/** Shapes of what is no secret and stands everywhere: masking it would make logs unreadable. */
const openShapes = [
  // A short word, or up to three of them joined: true, production, eu-west-1, my-project-123.
  /^(?:[A-Z]?[a-z]{1,12}|[A-Z]{1,12})\d{0,3}(?:[-_](?:[A-Za-z]{1,12}\d{0,3}[a-z]?|\d{1,6})){0,2}$/,
  // Numbers, versions, IP addresses and ranges, identifiers of accounts.
  /^v?[\d.:/-]{1,20}$/,
  // A host, with a port or not; an address of mail.
  /^(?:[\w.+-]{1,40}@)?\*?\.?(?:[a-z0-9-]{1,25}\.)+[a-z]{2,12}(?::\d{1,5})?$/,
  /^[a-z][a-z-]{0,12}:\d{1,5}$/,
  // A path.
  /^(?:~|\.{1,2})?(?:\/[\w.@-]{1,30})+\/?$/,
  /^arn:aws[a-z-]*:[\w:/.@*-]{1,200}$/,
];

/** Longer parts of a path may be what lets one in, as in the address of a webhook. */
const openPath = /^(?:\/[\w.-]{0,12})*$/;

/** `//user:password@` and `//token@` of an address, wherever it stands. */
const userinfo = /:\/\/(?:[^\s/:@]*:)?([^\s/]+)@/g;
/** `password=…` of a connection string, `"token": "…"` of code. */
const assigned = /(?:pass|pwd|secret|token|key)\w*"?\s*[=:]\s*"?([^"\s;&,]+)/gi;

/**
 * All values but those whose name or shape says that they are none, and what stands inside of them: passwords of
 * addresses and connection strings, texts in JSON. What is too short to be masked is among them.
 */
export function runnerSecrets(env: Readonly<Record<string, string>>): readonly string[] {
  return [...new Set(Object.entries(env).flatMap(([name, value]) => secretsIn([name], value.trim())))];
}

/** `names`: those above the text, its own last. */
function secretsIn(names: readonly string[], text: string): readonly string[] {
  const document = readJson(text);
  if (document !== null) {
    const inside = leavesOf(names, document).flatMap(([place, leaf]) => secretsIn(place, leaf));
    return inside.length === 0 ? [] : [text, ...inside];
  }
  const parts = partsOf(text);
  return isOpen(names, text) ? parts : [text, ...parts];
}

function isOpen(names: readonly string[], text: string): boolean {
  const own = names.at(-1) ?? '';
  if (secretName.test(own)) return false;
  if (openKey.test(own) && names.length > 1) return true;
  if (names.some((name) => secretName.test(name))) return false;
  return openName.test(own) || text.split(/,\s*/).every(hasOpenShape);
}

function hasOpenShape(text: string): boolean {
  if (text === '' || openShapes.some((shape) => shape.test(text))) return true;
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (url === null) return false;
  return url.username + url.password + url.search + url.hash === '' && openPath.test(url.pathname);
}

/** Passwords inside a text, as they are written and as they are meant. */
function partsOf(text: string): readonly string[] {
  const userAndPassword = /^[^\s:/]+:([^\s/]+)$/.exec(text);
  const found = [...text.matchAll(userinfo), ...text.matchAll(assigned), userAndPassword];
  return found.flatMap((match) => (match?.[1] === undefined ? [] : [match[1], decoded(match[1])]));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Only what has parts: a number or a word is what it is. */
function readJson(text: string): object | null {
  if (!/^[[{]/.test(text)) return null;
  try {
    return JSON.parse(text) as object;
  } catch {
    return null;
  }
}

/** Every text of a document, with the names above it. */
function leavesOf(
  names: readonly string[],
  value: unknown,
): readonly (readonly [readonly string[], string])[] {
  if (typeof value === 'string') return [[names, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    leavesOf(Array.isArray(value) ? names : [...names, key], item),
  );
}
