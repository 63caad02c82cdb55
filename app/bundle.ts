// How is the bundle of the workflows made ahead of the first start, for example when an image is built?
import { createLog } from './log.ts';
import { workflowBundle } from './workflow-bundle.ts';

const log = createLog({ level: 'info', secrets: [] });
const { codePath } = await workflowBundle(log);
log.info({ codePath }, 'the workflows are bundled');
