// Which pull request do the rendering tests look at? An everyday one on AWS, with a database that is replaced.
import type { ChangesByPlan } from '../activities/render/comment.ts';
import type { Links } from '../activities/render/links.ts';
import type { AttributeChange, PlanChanges, ResourceChange, Value } from '../workflows/model/change.ts';
import { nothingEdited } from '../workflows/model/edited-policies.ts';
import {
  parseInstallationId,
  parsePlanDigest,
  parsePlanId,
  parseRepositoryId,
  parseRunId,
  parseSha,
  parseSourceDigest,
} from '../workflows/model/identifiers.ts';
import type { ChangeCounts, Plan, RiskyChange } from '../workflows/model/plan.ts';
import type { ApprovalRule, Verdict } from '../workflows/model/verdict.ts';
import type { Headline, ProjectStatus, ProjectView, View } from '../workflows/model/view.ts';

export const head = parseSha('3f2a1bc4d5e6f708192a3b4c5d6e7f8091a2b3c4');
const base = parseSha('9d0e77ab1c2d3e4f5061728394a5b6c7d8e9f0a1');
export const mergeCommit = parseSha('c0ffee0123456789abcdef0123456789abcdef01');

export const known = (value: unknown): Value => ({ kind: 'known', json: JSON.stringify(value) });
export const absent: Value = { kind: 'absent' };
export const unknown: Value = { kind: 'unknown' };
export const sensitive: Value = { kind: 'sensitive' };

export function attribute(
  path: string,
  before: Value,
  after: Value,
  forcesReplacement = false,
): AttributeChange {
  return { path, before, after, forcesReplacement };
}

/** What a resource is created with. */
export function created(values: Readonly<Record<string, Value>>): readonly AttributeChange[] {
  return Object.entries(values).map(([path, value]) => attribute(path, absent, value));
}

/** What a resource loses when it is destroyed. */
export function destroyed(values: Readonly<Record<string, Value>>): readonly AttributeChange[] {
  return Object.entries(values).map(([path, value]) => attribute(path, value, absent));
}

export function resource(
  address: string,
  action: ResourceChange['action'],
  attributes: readonly AttributeChange[] = [],
  more: Partial<ResourceChange> = {},
): ResourceChange {
  return { address, type: address.split('.').at(-2) ?? '', action, attributes, ...more };
}

export const links: Links = {
  check: (name) => `https://github.com/octo-org/infra/runs/${checkNumber(name)}`,
  run: (id) => `https://hatchet.example/runs/${id}`,
  commit: (sha) => `https://github.com/octo-org/infra/commit/${sha}`,
};
export const noLinks: Links = { check: () => null, run: () => null, commit: () => null };

function checkNumber(name: string): number {
  return 7000 + [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
}

export const someRun = parseRunId('00000000-0000-4000-8000-0000000000aa');

let plans = 0;
export function plan(
  name: string,
  counts: Partial<ChangeCounts>,
  more: { readonly risky?: readonly RiskyChange[]; readonly outputChanges?: number } = {},
): Plan {
  plans++;
  const all = { add: 0, change: 0, replace: 0, destroy: 0, import: 0, move: 0, forget: 0, ...counts };
  const outputChanges = more.outputChanges ?? 0;
  return {
    id: parsePlanId(`00000000-0000-4000-8000-${plans.toString(16).padStart(12, '0')}`),
    runId: parseRunId('00000000-0000-4000-8000-0000000000aa'),
    project: { name, dir: `envs/${name}`, workspace: 'default', engine: 'terraform' },
    digest: parsePlanDigest('ab'.repeat(32)),
    counts: all,
    outputChanges,
    hasChanges: outputChanges > 0 || Object.values(all).some((count) => count > 0),
    risky: more.risky ?? [],
    warnings: [],
    sourceDigest: parseSourceDigest('cd'.repeat(32)),
    head,
    base,
    engineVersion: '1.11.4',
    destroy: false,
  };
}

export function project(name: string, status: ProjectStatus, more: Partial<ProjectView> = {}): ProjectView {
  return {
    name,
    dir: `envs/${name}`,
    status,
    runId: null,
    plan: null,
    verdicts: [],
    approvedBy: [],
    required: [],
    lost: [],
    leftBehind: [],
    voided: null,
    ...more,
  };
}

export function view(headline: Headline, projects: readonly ProjectView[], more: Partial<View> = {}): View {
  return {
    repository: {
      installationId: parseInstallationId(1),
      id: parseRepositoryId(2),
      nodeId: 'R_1',
      owner: 'octo-org',
      name: 'infra',
      webUrl: 'https://github.com/octo-org/infra',
    },
    number: 12,
    nodeId: 'PR_1',
    author: 'mona',
    sha: head,
    head,
    base: 'main',
    baseSha: base,
    roundId: 'round-1',
    headline,
    projects,
    deleted: [],
    counting: [],
    checks: [],
    mergeRefusal: null,
    editsConfiguration: false,
    inactiveEntries: [],
    editedPolicies: nothingEdited,
    plannedAt: '2026-11-21T22:04:31Z',
    comment: true,
    ...more,
  };
}

export const destroyRule: ApprovalRule = {
  count: 1,
  by: [],
  message: 'a database is replaced. Take a snapshot first.',
  author: false,
  source: 'destroy.rego',
};

export function verdict(policy: string, more: Partial<Verdict> = {}): Verdict {
  return { policy, level: 'mandatory', denials: [], warnings: [], approvals: [], error: null, ...more };
}

export const needsApproval = verdict('destroy.rego', { approvals: [destroyRule] });
export const passes = verdict('destroy.rego');

const userData = (installer: string, port: number): string =>
  [
    '#!/bin/bash',
    'set -euo pipefail',
    `${installer} install -y nginx`,
    'cat > /etc/nginx/conf.d/app.conf <<CONF',
    'server {',
    `  listen ${port};`,
    '  location / { proxy_pass http://127.0.0.1:3000; }',
    '}',
    'CONF',
    'mkdir -p /var/log/app',
    'chown nginx:nginx /var/log/app',
    'echo "net.core.somaxconn = 1024" >> /etc/sysctl.conf',
    'sysctl -p',
    'systemctl enable --now nginx',
    '',
  ].join('\n');

const policyDocument = (...actions: readonly string[]): string =>
  JSON.stringify({
    Statement: [
      { Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Effect: 'Allow', Resource: '*' },
      { Action: actions, Effect: 'Allow', Resource: 'arn:aws:s3:::octo-uploads/*' },
    ],
    Version: '2012-10-17',
  });

/** `prod`: a database replaced, a queue destroyed, a policy and a start script changed, records created. */
const prodChanges: PlanChanges = {
  resources: [
    resource('data.aws_ami.ubuntu', 'read', created({ id: unknown })),
    resource(
      'aws_route53_record.app["eu"]',
      'create',
      created({
        name: known('app.example.com'),
        records: known(['10.0.0.1']),
        ttl: known(300),
        type: known('A'),
        fqdn: unknown,
        id: unknown,
      }),
    ),
    resource(
      'aws_route53_record.app["us"]',
      'create',
      created({
        name: known('app.example.com'),
        records: known(['10.0.0.1']),
        ttl: known(300),
        type: known('A'),
        fqdn: unknown,
        id: unknown,
      }),
    ),
    resource('aws_ecs_service.web', 'update', [
      attribute('desired_count', known(2), known(4)),
      attribute('tags["release"]', absent, known('2026-11')),
      attribute('tags["team"]', known('web'), absent),
    ]),
    resource(
      'aws_db_instance.main',
      'replace',
      [
        attribute('address', known('octo-prod.c9akciq32.eu-west-1.rds.amazonaws.com'), unknown),
        attribute('engine_version', known('14.7'), known('16.3'), true),
        attribute('password', sensitive, sensitive),
        attribute('arn', known('arn:aws:rds:eu-west-1:123456789012:db:octo-prod'), unknown),
        attribute('endpoint', known('octo-prod.c9akciq32.eu-west-1.rds.amazonaws.com:5432'), unknown),
        attribute('id', known('db-7QK2'), unknown),
      ],
      { reason: 'replace_because_cannot_update' },
    ),
    resource(
      'aws_sqs_queue.jobs',
      'delete',
      destroyed({
        name: known('octo-jobs'),
        delay_seconds: known(0),
        fifo_queue: known(false),
        url: known('https://sqs.eu-west-1.amazonaws.com/123456789012/octo-jobs'),
      }),
      { reason: 'delete_because_no_resource_config' },
    ),
    resource('aws_iam_role_policy.app', 'update', [
      attribute(
        'policy',
        known(policyDocument('s3:GetObject')),
        known(policyDocument('s3:GetObject', 's3:PutObject', 's3:DeleteObject')),
      ),
    ]),
    resource('aws_launch_template.web', 'update', [
      attribute('latest_version', known(7), unknown),
      attribute('user_data', known(userData('yum', 80)), known(userData('dnf', 8080))),
    ]),
    resource('aws_security_group.web', 'update', [
      attribute(
        'ingress',
        known([{ cidr_blocks: ['10.0.0.0/8'], from_port: 443, protocol: 'tcp', to_port: 443 }]),
        known([
          { cidr_blocks: ['10.0.0.0/8'], from_port: 443, protocol: 'tcp', to_port: 443 },
          { cidr_blocks: ['0.0.0.0/0'], from_port: 8080, protocol: 'tcp', to_port: 8080 },
        ]),
      ),
    ]),
    resource('aws_s3_bucket.uploads', 'move', [], { previousAddress: 'aws_s3_bucket.files' }),
    resource('aws_cloudwatch_log_group.app', 'import', [], { importId: '/ecs/octo-app' }),
  ],
  outputs: [
    {
      name: 'database_endpoint',
      before: known('octo-prod.c9akciq32.eu-west-1.rds.amazonaws.com:5432'),
      after: unknown,
    },
  ],
};

export const prodPlan = plan(
  'prod',
  { add: 2, change: 4, replace: 1, destroy: 1, move: 1, import: 1 },
  {
    risky: [
      { address: 'aws_sqs_queue.jobs', action: 'destroy' },
      { address: 'aws_db_instance.main', action: 'replace' },
    ],
    outputChanges: 1,
  },
);
const stagingChanges: PlanChanges = {
  resources: prodChanges.resources.filter(({ address }) => /ecs|route53/.test(address)),
  outputs: [],
};
export const stagingPlan = plan('staging', { add: 2, change: 1 });
export const dnsPlan = plan('dns', {});

export const changes: ChangesByPlan = new Map([
  [prodPlan.id, prodChanges],
  [stagingPlan.id, stagingChanges],
  [dnsPlan.id, { resources: [], outputs: [] }],
]);

export const missing = { project: 'prod', rule: destroyRule, given: 0 } as const;

/** Waiting for one approval of `prod`; `staging` is ready, `dns` has no changes. */
export const waitingView: View = view({ kind: 'waiting-for-approval', missing: [missing] }, [
  project(
    'prod',
    { kind: 'waiting-for-approval', missing: [missing] },
    { plan: prodPlan, verdicts: [needsApproval] },
  ),
  project('staging', { kind: 'ready' }, { plan: stagingPlan, verdicts: [passes] }),
  project('dns', { kind: 'no-changes' }, { plan: dnsPlan }),
]);
