// How does a runner behave that is killed in the middle? A process of its own: `plan|apply DIRECTORY [BACKEND]`.
import { join } from 'node:path';
import { createTerraformRunner, planned } from './terraform-runner.ts';

const [, , verb, root = '', backend] = process.argv;
const runner = await createTerraformRunner(
  { network: 'host', environment: { TF_VAR_gate: join(root, 'state/gate') } },
  root,
);
if (backend !== undefined) runner.files.set('envs/prod/backend.tf', backend);
const plan = planned(await runner.plan('slow'));
if (verb === 'apply') await runner.apply(plan);
