// With which arguments is each Terraform command run?

/** Nothing that a person typed is in here: workspace names are checked, everything else is ours. */
export type TerraformCommand =
  | { readonly kind: 'init'; readonly lockFile: 'update' | 'readonly' }
  | { readonly kind: 'select-workspace'; readonly workspace: string }
  | { readonly kind: 'plan'; readonly planFile: string }
  | { readonly kind: 'show'; readonly planFile: string }
  | { readonly kind: 'apply'; readonly planFile: string }
  | { readonly kind: 'pull-state' };

/** Another apply of the same state may be about to end; longer than this it is somebody else's problem to look at. */
const lockTimeout = '5m';

/**
 * The arguments after the program's name; the same for Terraform and OpenTofu.
 * Plans take no lock: they write nothing, and are made again when another apply lands.
 * Source: developer.hashicorp.com/terraform/cli/commands
 */
export function terraformArguments(command: TerraformCommand): readonly string[] {
  switch (command.kind) {
    case 'init':
      return [
        'init',
        '-json',
        '-input=false',
        ...(command.lockFile === 'readonly' ? ['-lockfile=readonly'] : []),
      ];
    case 'select-workspace':
      return ['workspace', 'select', '-or-create', command.workspace];
    case 'plan':
      return [
        'plan',
        '-json',
        '-input=false',
        '-lock=false',
        '-detailed-exitcode',
        `-out=${command.planFile}`,
      ];
    case 'show':
      return ['show', '-json', command.planFile];
    case 'apply':
      return ['apply', '-json', '-input=false', `-lock-timeout=${lockTimeout}`, command.planFile];
    case 'pull-state':
      return ['state', 'pull'];
    default:
      return command satisfies never;
  }
}

/** As Terraform allows it, and never an option: no leading hyphen. */
const workspacePattern = /^[A-Za-z0-9_.~][A-Za-z0-9_.~-]{0,89}$/;

export function isWorkspaceName(name: string): boolean {
  return workspacePattern.test(name);
}
