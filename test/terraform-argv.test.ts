// With which words, walls and variables does Terraform start?
import { expect, test } from 'vitest';
import type { TerraformCommand } from '../activities/terraform/argv.ts';
import { isWorkspaceName, terraformArguments } from '../activities/terraform/argv.ts';
import { cliConfig } from '../activities/terraform/cli-config.ts';
import { runEnvironment } from '../activities/terraform/environment.ts';
import { sandboxArgv } from '../activities/terraform/sandbox.ts';

const planFile = '/run/plan.tfplan';

test.for<[TerraformCommand, readonly string[]]>([
  [{ kind: 'init', lockFile: 'update', varFiles: [] }, ['init', '-json', '-input=false']],
  [
    { kind: 'init', lockFile: 'readonly', varFiles: ['../a b.tfvars', '-x'] },
    ['init', '-json', '-input=false', '-lockfile=readonly', '-var-file=../a b.tfvars', '-var-file=-x'],
  ],
  [
    { kind: 'init', lockFile: 'update', varFiles: [], backend: false },
    ['init', '-json', '-input=false', '-backend=false'],
  ],
  [{ kind: 'validate', varFiles: ['a.tfvars'] }, ['validate', '-json', '-var-file=a.tfvars']],
  [
    { kind: 'plan', planFile, varFiles: [], destroy: false, underLock: false },
    ['plan', '-json', '-input=false', '-lock=false', '-detailed-exitcode', '-out=/run/plan.tfplan'],
  ],
  [
    { kind: 'plan', planFile, varFiles: ['one.tfvars', 'two.tfvars'], destroy: true, underLock: true },
    [
      ...['plan', '-json', '-input=false', '-lock-timeout=0s', '-detailed-exitcode', '-destroy'],
      ...['-var-file=one.tfvars', '-var-file=two.tfvars', '-out=/run/plan.tfplan'],
    ],
  ],
  [{ kind: 'show', planFile }, ['show', '-json', '/run/plan.tfplan']],
  [{ kind: 'apply', planFile }, ['apply', '-json', '-input=false', '-lock-timeout=5m', '/run/plan.tfplan']],
  [{ kind: 'force-unlock', lockId: 'a1b2' }, ['force-unlock', '-force', 'a1b2']],
  [{ kind: 'pull-state' }, ['state', 'pull']],
])('%o', ([command, expected]) => {
  expect(terraformArguments(command)).toEqual(expected);
});

test.for([
  ['default', true],
  ['team-a_1.2~x', true],
  ['-lock=false', false],
  ['', false],
  ['a b', false],
  ['../x', false],
  ['a/b', false],
  ['x'.repeat(91), false],
] as const)('S9: is %j the name of a workspace? %s', ([name, expected]) => {
  expect(isWorkspaceName(name)).toBe(expected);
});

test('the walls of a plan', () => {
  const sandbox = {
    bubblewrap: '/usr/bin/bwrap',
    network: 'none',
    writable: ['/runs/one', '/state'],
    readable: ['/tools/terraform'],
    dieWithParent: true,
    hostName: null,
  } as const;
  const argv = sandboxArgv(sandbox, '/runs/one/tree', ['/tools/terraform', 'plan']);
  expect(argv).toEqual([
    '/usr/bin/bwrap',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--unshare-net',
    ...['--cap-drop', 'ALL'],
    '--as-pid-1',
    '--die-with-parent',
    ...['--info-fd', '3'],
    ...['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64'].flatMap((path) => ['--ro-bind-try', path, path]),
    ...[
      'alternatives',
      'ca-certificates',
      'gai.conf',
      'group',
      'host.conf',
      'hosts',
      'ld.so.cache',
      'localtime',
      'nsswitch.conf',
      'passwd',
      'pki',
      'protocols',
      'resolv.conf',
      'services',
      'ssl',
    ].flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ...['--proc', '/proc'],
    ...['--dev', '/dev'],
    ...['--tmpfs', '/tmp'],
    ...['--ro-bind', '/tools/terraform', '/tools/terraform'],
    ...['--bind', '/runs/one', '/runs/one'],
    ...['--bind', '/state', '/state'],
    ...['--chdir', '/runs/one/tree'],
    '--',
    '/tools/terraform',
    'plan',
  ]);
});

test('an apply keeps the network where it is allowed, and does not die with Hatchet', () => {
  const sandbox = {
    bubblewrap: '/bwrap',
    network: 'host',
    writable: [],
    readable: [],
    dieWithParent: false,
    hostName: 'hatchet-1',
  } as const;
  const argv = sandboxArgv(sandbox, '/', ['/terraform', 'apply']);
  expect(argv).not.toContain('--unshare-net');
  expect(argv).not.toContain('--die-with-parent');
});

const directory = {
  root: '/run',
  tree: '/run/tree',
  data: '/run/data',
  home: '/run/home',
  temp: '/run/tmp',
  cliConfig: '/run/cli.tfrc',
  plans: '/run',
  planFile,
};

test('nothing is inherited, and what would undo our settings is not let in', () => {
  const allowed = {
    AWS_REGION: 'eu-central-1',
    TF_VAR_size: '3',
    TF_HTTP_PASSWORD: 'secret',
    TF_CLI_ARGS: '-lock=true',
    TF_CLI_ARGS_plan: '-destroy',
    TF_LOG: 'trace',
    TF_LOG_PATH: '/etc/passwd',
    TF_DATA_DIR: '/elsewhere',
    TF_WORKSPACE: 'other',
    TF_CLI_CONFIG_FILE: '/elsewhere',
    TF_PLUGIN_CACHE_DIR: '/elsewhere',
    TF_REATTACH_PROVIDERS: '{}',
    TERRAFORM_CONFIG: '/elsewhere',
    HOME: '/home/operator',
    PATH: '/evil',
    LD_PRELOAD: '/evil.so',
  };
  expect(runEnvironment(allowed, directory, 'blue')).toEqual({
    AWS_REGION: 'eu-central-1',
    TF_VAR_size: '3',
    TF_HTTP_PASSWORD: 'secret',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/run/home',
    TMPDIR: '/run/tmp',
    TF_DATA_DIR: '/run/data',
    TF_CLI_CONFIG_FILE: '/run/cli.tfrc',
    TF_WORKSPACE: 'blue',
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    GIT_TERMINAL_PROMPT: '0',
  });
  expect(runEnvironment(allowed, directory, null)).not.toHaveProperty('TF_WORKSPACE');
});

test('providers come from the cache or their registry, and from nowhere else', () => {
  const sources = { cacheDir: '/cache', mirrored: ['r.io/a/b'], direct: ['r.io/c/d', 'r.io/e/f'] };
  expect(cliConfig(sources)).toMatchInlineSnapshot(`
    "disable_checkpoint = true
    provider_installation {
      filesystem_mirror {
        path = "/cache"
        exclude = ["r.io/c/d","r.io/e/f"]
      }
      direct {
        exclude = ["r.io/a/b"]
      }
    }
    "
  `);
});
