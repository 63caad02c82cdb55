// Does a large repository get exactly the projects that a change can reach?
import { expect, test } from 'vitest';
import { backend, calls, type Files, names, projectsOf, useInspections } from './source-inspections.ts';

const { inspect, remote, headRef, number } = useInspections();

const projectCount = 500;
const moduleCount = 20;
/** Every tenth directory is listed with two workspaces, so that there are fewer directories than projects. */
const listedCount = 50;
const dirs = Array.from(
  { length: projectCount - listedCount },
  (_, index) => `envs/p${String(index).padStart(3, '0')}`,
);
const listed = dirs.slice(0, listedCount);
const moduleOf = (index: number) => index % moduleCount;

function repository(): Files {
  const entries = listed.flatMap((dir) =>
    ['eu', 'us'].map(
      (workspace) =>
        `  - { dir: ${dir}, workspace: ${workspace}, var_files: [${workspace}.tfvars], when_modified: ["../../shared/${workspace}/**"] }\n`,
    ),
  );
  const code = dirs.flatMap((dir, index): [string, string][] => [
    [`${dir}/main.tf`, backend + calls(`../../modules/m${moduleOf(index)}`)],
    [`${dir}/eu.tfvars`, ''],
  ]);
  const modules = Array.from({ length: moduleCount }, (_, index) => [
    `modules/m${index}/main.tf`,
    calls(`../core/c${index % 2}`),
  ]);
  return {
    'hatchet.yaml': `version: 1\nprojects:\n${entries.join('')}`,
    ...Object.fromEntries([...code, ...modules]),
    ...{ 'modules/core/c0/main.tf': '', 'modules/core/c1/main.tf': '', 'shared/eu/x': '', 'shared/us/x': '' },
  };
}

const projectNames = (isTouched: (index: number) => boolean, workspaces: readonly string[] = ['eu', 'us']) =>
  dirs
    .flatMap((dir, index) => {
      if (!isTouched(index)) return [];
      return index < listedCount ? workspaces.map((workspace) => `${dir}@${workspace}`) : [dir];
    })
    .sort();

test('500 projects, 3,500 changed files, and single ones', async () => {
  const base = remote().commit('refs/heads/main', repository(), { parents: [] });
  const change = async (files: Files) => {
    const head = remote().commit(headRef(), files, { parents: [base] });
    return inspect({ number: number(), head, baseSha: base });
  };
  const many = dirs.flatMap((dir) =>
    Array.from({ length: Math.ceil(3_500 / dirs.length) }, (_, file) => [`${dir}/f${file}.tf`, `# ${dir}`]),
  );
  expect(many.length).toBeGreaterThanOrEqual(3_500);
  const everything = await change(Object.fromEntries(many));
  expect(everything.configuration.kind).toBe('valid');
  expect(names(everything)).toEqual(projectNames(() => true));
  expect(names(everything)).toHaveLength(projectCount);
  expect(everything.changedFiles).toHaveLength(many.length);
  // Two workspaces of one directory are planned from the same files with other settings.
  const digests = projectsOf(everything).map(({ sourceDigest }) => sourceDigest);
  expect(new Set(digests).size).toBe(projectCount);

  expect(names(await change({ 'modules/m3/x.tf': '' }))).toEqual(
    projectNames((index) => moduleOf(index) === 3),
  );
  expect(names(await change({ 'modules/core/c1/x.tf': '' }))).toEqual(
    projectNames((index) => moduleOf(index) % 2 === 1),
  );
  expect(names(await change({ 'shared/us/y': '' }))).toEqual(listed.map((dir) => `${dir}@us`));
  expect(names(await change({ [`${dirs[7]}/eu.tfvars`]: '# x' }))).toEqual([`${dirs[7]}@eu`]);
  expect(names(await change({ 'README.md': '' }))).toEqual([]);
});
