// Do the built-in policies pass their own tests, with the opa that Hatchet itself would use?
import { spawnSync } from 'node:child_process';
import { findTestTools } from './tools.ts';

const { opa } = await findTestTools();
const { status } = spawnSync(opa, ['test', '--verbose', 'policies'], { stdio: 'inherit' });
process.exit(status ?? 1);
