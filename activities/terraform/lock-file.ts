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
