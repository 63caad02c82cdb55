// Is a project's code valid by itself, whatever exists?
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { captureCommand, runCommand } from './command.ts';
import type { Session } from './session.ts';

/** What Terraform notes of a backend in its data directory; with it, init asks the backend although it is told not to. */
const backendNote = 'terraform.tfstate';

/**
 * Asks the engine without anything that a run could find outside: no backend, no state, no provider's service.
 * `initialised`: init came to its end here; otherwise it is run again without the backend.
 * Source: developer.hashicorp.com/terraform/cli/commands/validate
 */
export async function isValidCode(
  session: Session,
  { varFiles, initialised }: { readonly varFiles: readonly string[]; readonly initialised: boolean },
): Promise<boolean> {
  const valid =
    (initialised || (await initialisesAlone(session, varFiles))) && (await validates(session, varFiles));
  session.log.append(`The code is ${valid ? '' : 'not '}valid by itself`);
  return valid;
}

async function initialisesAlone(session: Session, varFiles: readonly string[]): Promise<boolean> {
  await rm(join(session.directory.data, backendNote), { force: true });
  const command = { kind: 'init', lockFile: 'update', backend: false, varFiles } as const;
  return (await runCommand(session, command)).exit.code === 0;
}

/** Terraform takes no var files here; OpenTofu's module sources may depend on them. */
async function validates(session: Session, varFiles: readonly string[]): Promise<boolean> {
  const given = session.project.engine === 'tofu' ? varFiles : [];
  return (await captureCommand(session, { kind: 'validate', varFiles: given })).kind === 'document';
}
