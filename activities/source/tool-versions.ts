// Which engine does a .tool-versions name, and in which version?
import type { Engine } from '../../workflows/model/project.ts';
import { join, type Listing, upwards } from './listing.ts';
import type { SmallFiles } from './small-files.ts';

export const toolVersionsName = '.tool-versions';

/** What asdf and mise call the engines. */
const toolName: Readonly<Record<Engine, string>> = { terraform: 'terraform', tofu: 'opentofu' };
const engines = ['terraform', 'tofu'] as const;

/** `both`: nobody can tell which of them is meant. */
export type ToolEngine = Engine | 'both';

/** By directory, of the files that name an engine. */
export async function readToolEngines(
  listing: Listing,
  files: SmallFiles,
): Promise<ReadonlyMap<string, ToolEngine>> {
  const directories = [...listing.directories].filter(([, entries]) =>
    entries.some(({ name }) => name === toolVersionsName),
  );
  const found = await Promise.all(
    directories.map(async ([directory]) => {
      const named = engineNamed((await files.text(listing, join(directory, toolVersionsName))) ?? '');
      return named === null ? [] : [[directory, named] as const];
    }),
  );
  return new Map(found.flat());
}

function engineNamed(text: string): ToolEngine | null {
  const [first = null, second] = engines.filter((engine) => toolLine(text, engine) !== null);
  return second === undefined ? first : 'both';
}

/** By the nearest file above `dir` that names one; null where that is nothing to go by. */
export function toolEngineOf(found: ReadonlyMap<string, ToolEngine>, dir: string): Engine | null {
  for (const above of upwards(dir)) {
    const named = found.get(above);
    if (named !== undefined) return named === 'both' ? null : named;
  }
  return null;
}

/** `terraform 1.9.0`; more versions on the line are for when the first is missing. */
export function toolLine(text: string, engine: Engine): string | null {
  const words = text.split(/\r?\n/).map((line) => withoutComment(line).split(/\s+/));
  return words.find(([name]) => name === toolName[engine])?.[1] ?? null;
}

export const withoutComment = (line: string): string => line.replace(/#.*/, '').trim();
