// Which workflows does a worker register? Temporal finds each by its exported name.
// biome-ignore-all lint/performance/noBarrelFile: Temporal bundles workflows from one entry that exports them all.
export { healWorkflow } from './healing.ts';
export { mergeGroupWorkflow } from './merge-group.ts';
export { projectWorkflow } from './project.ts';
export { pullRequestWorkflow } from './pull-request.ts';
export { repositoryWorkflow } from './repository.ts';
