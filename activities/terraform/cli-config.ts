// From where may Terraform install providers?

/** `mirrored` come from the cache only, `direct` from their registry only; every other from whichever has it. */
export type ProviderSources = {
  readonly cacheDir: string;
  readonly mirrored: readonly string[];
  readonly direct: readonly string[];
};

/**
 * The text of TF_CLI_CONFIG_FILE. An explicit `provider_installation` turns off the implied local mirrors, which
 * would run a provider that a pull request brings along in `terraform.d`.
 * Source: developer.hashicorp.com/terraform/cli/config/config-file (Provider Installation).
 */
export function cliConfig({ cacheDir, mirrored, direct }: ProviderSources): string {
  return [
    'disable_checkpoint = true',
    'provider_installation {',
    '  filesystem_mirror {',
    `    path = ${JSON.stringify(cacheDir)}`,
    ...exclusion(direct),
    '  }',
    '  direct {',
    ...exclusion(mirrored),
    '  }',
    '}',
    '',
  ].join('\n');
}

function exclusion(providers: readonly string[]): readonly string[] {
  return providers.length === 0 ? [] : [`    exclude = ${JSON.stringify(providers)}`];
}
