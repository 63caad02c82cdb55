// Which version does a binary say it is, and is that good enough?
import semver from 'semver';
import { runProgram } from './run-program.ts';
import type { Tool } from './versions.ts';

/** A loaded machine may take seconds to start a 90 MB binary; one that hangs must not stop the start. */
const versionTimeoutMs = 15_000;
const versionPattern = /\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?/;

export type Verdict =
  | { readonly kind: 'accepted'; readonly version: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** `range` is the tool's own range for PATH, or the exact version for what we fetched. */
export async function checkVersion(tool: Tool, file: string, range: string): Promise<Verdict> {
  const said = await readVersion(tool, file);
  if (said.kind === 'refused' || semver.satisfies(said.version, range)) return said;
  return { kind: 'refused', reason: `${file} is version ${said.version}, needed is ${range}` };
}

/** What it says by itself; refused when it does not run, or names none. */
export async function readVersion(tool: Tool, file: string): Promise<Verdict> {
  const ran = await runProgram({
    command: file,
    args: tool.versionArguments,
    // Without it Terraform asks its maker for newer versions before it answers.
    env: { CHECKPOINT_DISABLE: '1', PATH: '/usr/bin:/bin' },
    timeoutMs: versionTimeoutMs,
  });
  if (ran.problem !== null) return { kind: 'refused', reason: ran.problem };
  const version = versionPattern.exec(ran.stdout)?.[0];
  if (version === undefined) return { kind: 'refused', reason: `${file} names no version` };
  return { kind: 'accepted', version };
}
