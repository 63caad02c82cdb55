// May these tests mount a file system of their own?
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of this size holds Terraform's lock, and no state of some kilobytes more. */
export const mountSmall = (at: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', at]).status === 0;
export const unmount = (at: string) => spawnSync('umount', ['-l', at]);

export const canMount = (() => {
  const at = mkdtempSync(join(tmpdir(), 'hatchet-mount-'));
  const can = mountSmall(at);
  if (can) unmount(at);
  rmdirSync(at);
  return can;
})();
