// Has the App been installed, suspended, removed, or given other repositories?
import { z } from 'zod';
import type { InstallationNews } from '../../workflows/messages.ts';

const shape = z.object({ installation: z.object({ id: z.int() }) });

/** Whatever it was: where the App is installed has to be asked for anew, and what is there to be looked at. */
export function parseInstallationEvent(payload: unknown): InstallationNews {
  return { kind: 'installation-changed', installationId: shape.parse(payload).installation.id };
}
