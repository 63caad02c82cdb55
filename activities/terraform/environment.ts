// What can Terraform see of the environment?
import type { RunDirectory } from './run-directory.ts';

export type Environment = Readonly<Record<string, string>>;

/** These would undo what Hatchet decides: where things are kept, what is run, what is printed. */
const refusedVariables =
  /^(?:TF_(?:CLI_ARGS.*|LOG.*|DATA_DIR|WORKSPACE|INPUT|IN_AUTOMATION|CLI_CONFIG_FILE|PLUGIN_CACHE.*|REATTACH_PROVIDERS|IGNORE)|TERRAFORM_CONFIG|HOME|TMPDIR|PATH|LD_.*)$/;

/** Where git, ssh and the like are; the engine itself is called by its absolute path. */
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The whole environment of one command: what the operator allows, and ours over it. Nothing is inherited.
 * `workspace` is the one to work in, created when it does not exist; null where none is asked for: init refuses one
 * that does not exist yet.
 */
export function runEnvironment(
  allowed: Environment,
  directory: RunDirectory,
  workspace: string | null,
): Environment {
  const kept = Object.entries(allowed).filter(([name]) => !refusedVariables.test(name));
  return {
    ...Object.fromEntries(kept),
    PATH: searchPath,
    HOME: directory.home,
    TMPDIR: directory.temp,
    TF_DATA_DIR: directory.data,
    TF_CLI_CONFIG_FILE: directory.cliConfig,
    ...(workspace === null ? {} : { TF_WORKSPACE: workspace }),
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    // A module's git source must fail instead of asking for a password that nobody will type.
    GIT_TERMINAL_PROMPT: '0',
  };
}
