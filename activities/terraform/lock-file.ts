// Which providers does `.terraform.lock.hcl` pin?

export type LockedProvider = {
  /** As in `registry.terraform.io/hashicorp/aws`. */
  readonly address: string;
  readonly version: string;
  /** `h1:` and `zh:` checksums. */
  readonly hashes: readonly string[];
};

export const lockFileName = '.terraform.lock.hcl';

const blockPattern = /^provider "([^"]+)" \{$([\s\S]*?)^\}$/gm;
const versionPattern = /^\s*version\s*=\s*"([^"]+)"\s*$/m;
const hashPattern = /"((?:h1|zh):[^"]+)"/g;
/** Both become parts of paths. */
const addressPattern = /^[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*(?::\d+)?\/[\w-]+\/[\w-]+$/i;
const wellFormedVersion = /^\d+(?:\.\d+)*(?:[-+][\w.+-]*)?$/;

/**
 * Terraform writes this file in one fixed form and verifies it itself; it is read here only to choose a source, so
 * an entry in another form is left out.
 */
export function parseLockFile(text: string): readonly LockedProvider[] {
  return [...text.matchAll(blockPattern)].flatMap(([, address = '', body = '']) => {
    const version = versionPattern.exec(body)?.[1] ?? '';
    if (!addressPattern.test(address) || !wellFormedVersion.test(version)) return [];
    return [{ address, version, hashes: [...body.matchAll(hashPattern)].map(([, hash = '']) => hash) }];
  });
}

/** What Terraform and OpenTofu write: comments, and blocks in which no text can mean anything but itself. */
const plainPiece =
  /(?:#[ -~]*)?\n|provider "[\w.:/-]+" \{\n {2}version += "[\w.+-]+"\n(?: {2}constraints += "[\w ,.<>=!~+-]*"\n)?(?: {2}hashes += \[\n(?: {4}"(?:h1|zh):[\w+/=]+",\n)* {2}\]\n)?\}\n/y;

/**
 * Like `parseLockFile`, and certain to say of each provider exactly what Terraform reads there: nothing where the
 * file holds anything that is not in the form in which Terraform writes it, such as a second, unusual block.
 */
export function parsePlainLockFile(text: string): readonly LockedProvider[] {
  for (let at = 0; at < text.length; at = plainPiece.lastIndex) {
    plainPiece.lastIndex = at;
    if (!plainPiece.test(text)) return [];
  }
  return parseLockFile(text);
}

/** One more checksum for a provider of a plain lock file, sorted as Terraform does. */
export function addLockedHash(
  text: string,
  { address }: Pick<LockedProvider, 'address'>,
  hash: string,
): string {
  return text.replace(blockPattern, (block, name: string) =>
    name !== address
      ? block
      : block.replace(/(?<= \[\n)[^\]]*(?= {2}\]$)/m, (lines) => {
          const sorted = new Set([...lines.split('\n').slice(0, -1), `    "${hash}",`]);
          return `${[...sorted].sort().join('\n')}\n`;
        }),
  );
}
