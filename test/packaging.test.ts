// Do the image, the CI workflow and the package agree with the code about what they carry?
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { tools } from '../app/tools/versions.ts';

const root = join(import.meta.dirname, '..');
const read = (name: string): Promise<string> => readFile(join(root, name), 'utf8');

const dockerfile = await read('Dockerfile');
const manifest = JSON.parse(await read('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

test('the image carries the tools in the versions and with the sums that the resolver knows', () => {
  const { terraform, tofu, opa } = tools;
  expect(argumentsOf(dockerfile)).toEqual({
    TARGETARCH: 'amd64',
    TERRAFORM_VERSION: terraform.version,
    TERRAFORM_SUM_AMD64: terraform.release.pinnedSums.linux_amd64,
    TERRAFORM_SUM_ARM64: terraform.release.pinnedSums.linux_arm64,
    TOFU_VERSION: tofu.version,
    TOFU_SUM_AMD64: tofu.release.pinnedSums.linux_amd64,
    TOFU_SUM_ARM64: tofu.release.pinnedSums.linux_arm64,
    OPA_VERSION: opa.version,
  });
});

test('the image fetches them from where their makers publish them', () => {
  for (const { release } of [tools.terraform, tools.tofu, tools.opa])
    expect(dockerfile).toContain(`${release.base}/`);
});

test('image, workflow and package run the same major version of Node', async () => {
  const bases = [...dockerfile.matchAll(/^FROM node:(\d+)-slim/gm)].map((match) => match[1]);
  const workflow = parse(await read('.github/workflows/ci.yml'));
  const [major] = (manifest.devDependencies.node ?? '').split('.');
  expect([...new Set(bases), String(workflow.jobs.check.steps[1].with['node-version'])]).toEqual([
    major,
    major,
  ]);
});

test('the image holds every folder of the product and no other', async () => {
  const product = ['activities', 'app', 'policies', 'workflows'];
  const copied = [...dockerfile.matchAll(/^COPY (\w+) \.\/\1$/gm)].map((match) => match[1]);
  expect(copied.toSorted()).toEqual(product);
  const letIn = (await read('.dockerignore')).split('\n').filter((line) => line.startsWith('!'));
  expect(letIn).toEqual(expect.arrayContaining(product.map((folder) => `!${folder}`)));
  const folders = (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name)).toEqual(expect.arrayContaining(product));
});

test('the process is no root, is asked for its health, and gets its signals through an init', () => {
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  expect(last).toMatch(/^USER 1000:1000$/m);
  expect(last).toMatch(/^HEALTHCHECK [\s\S]+\/healthz/m);
  expect(last).toMatch(/^ENTRYPOINT \["tini", "--"\]\nCMD \["node", "app\/main\.ts"\]$/m);
});

test('CI runs each part of `npm run check`, and every part exists', async () => {
  const script = await read('.ci/run');
  const parts = [...(manifest.scripts['check:static'] ?? '').matchAll(/npm run ([\w:-]+)/g)].map(
    ([, part]) => part,
  );
  const listed = /^static_checks=\(([\w: -]+)\)$/m.exec(script)?.[1]?.split(' ');
  expect(listed).toEqual(parts);
  expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(parts));
  expect((await stat(join(root, '.ci/run'))).mode & 0o111).toBe(0o111);
});

test('the workflow may read and nothing else, and names each action with its version', async () => {
  const workflow = parse(await read('.github/workflows/ci.yml'));
  expect(workflow.permissions).toEqual({ contents: 'read' });
  const steps: readonly { readonly uses?: string }[] = workflow.jobs.check.steps;
  const actions = steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses]));
  expect(actions.length).toBeGreaterThan(0);
  expect(actions.filter((uses) => !/@(?:v\d+|[0-9a-f]{40})$/.test(uses))).toEqual([]);
});

function argumentsOf(text: string): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries([...text.matchAll(/^ARG (\w+)=(\S+)$/gm)].map((match) => [match[1], match[2]]));
}
