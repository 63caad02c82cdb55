// With which arguments is each Terraform command run?

/** Of what a person typed only var files are in here, never as a word of their own; everything else is ours. */
export type TerraformCommand =
  | {
      readonly kind: 'init';
      readonly lockFile: 'update' | 'readonly';
      /** OpenTofu lets module sources and backends depend on variables. */
      readonly varFiles: readonly string[];
      /** Without the backend nothing can be planned. */
      readonly backend?: false;
    }
  | { readonly kind: 'validate'; readonly varFiles: readonly string[] }
  | {
      readonly kind: 'plan';
      readonly planFile: string;
      readonly varFiles: readonly string[];
      readonly destroy: boolean;
      /** Only where nobody else holds the state's lock. */
      readonly underLock: boolean;
    }
  | { readonly kind: 'show'; readonly planFile: string }
  | { readonly kind: 'apply'; readonly planFile: string }
  | { readonly kind: 'force-unlock'; readonly lockId: string }
  | { readonly kind: 'pull-state' };

/** Another apply of the same state may be about to end; longer than this it is somebody else's problem to look at. */
const lockTimeout = '5m';

/**
 * The arguments after the program's name; the same for Terraform and OpenTofu.
 * Plans take no lock: they write nothing, and are made again when another apply lands. Only one that is to tell what an
 * apply has done takes it, or says at once who has it.
 * Source: developer.hashicorp.com/terraform/cli/commands
 */
export function terraformArguments(command: TerraformCommand): readonly string[] {
  switch (command.kind) {
    case 'init':
      return [
        'init',
        '-json',
        '-input=false',
        ...(command.backend === false ? ['-backend=false'] : []),
        ...(command.lockFile === 'readonly' ? ['-lockfile=readonly'] : []),
        ...varFileArguments(command),
      ];
    case 'validate':
      return ['validate', '-json', ...varFileArguments(command)];
    case 'plan':
      return [
        'plan',
        '-json',
        '-input=false',
        command.underLock ? '-lock-timeout=0s' : '-lock=false',
        '-detailed-exitcode',
        ...(command.destroy ? ['-destroy'] : []),
        ...varFileArguments(command),
        `-out=${command.planFile}`,
      ];
    case 'show':
      return ['show', '-json', command.planFile];
    case 'apply':
      return ['apply', '-json', '-input=false', `-lock-timeout=${lockTimeout}`, command.planFile];
    case 'force-unlock':
      return ['force-unlock', '-force', command.lockId];
    case 'pull-state':
      return ['state', 'pull'];
    default:
      return command satisfies never;
  }
}

function varFileArguments({ varFiles }: { readonly varFiles: readonly string[] }): readonly string[] {
  return varFiles.map((path) => `-var-file=${path}`);
}

/** As Terraform allows it, and never an option: no leading hyphen. */
const workspacePattern = /^[A-Za-z0-9_.~][A-Za-z0-9_.~-]{0,89}$/;

export function isWorkspaceName(name: string): boolean {
  return workspacePattern.test(name);
}
