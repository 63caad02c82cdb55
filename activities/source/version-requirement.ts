// Which version of the engine does a project want, and who says so?
import { posix } from 'node:path';
import type { Engine, VersionRequirement } from '../../workflows/model/project.ts';
import type { CodeMap } from './code-map.ts';
import { codeDirectory } from './code-map.ts';
import { join, type Listing, upwards } from './listing.ts';
import type { RepositoryProject } from './repository-projects.ts';
import type { SmallFiles } from './small-files.ts';
import { toolLine, toolVersionsName, withoutComment } from './tool-versions.ts';

const ownFile: Readonly<Record<Engine, string>> = {
  terraform: '.terraform-version',
  tofu: '.opentofu-version',
};

/**
 * hatchet.yaml's word, else that of the nearest version file of the engine's own, else of the nearest `.tool-versions`
 * that names it, else what the code requires; null when nobody asks for anything. What a file says is carried as it
 * is where it is no constraint: who looks for the version names it then.
 */
export async function versionRequirement(
  map: CodeMap,
  project: RepositoryProject,
  files: SmallFiles,
): Promise<VersionRequirement | null> {
  const { entry, engine } = project;
  if (entry?.version !== undefined) return { constraint: entry.version, source: 'hatchet.yaml' };
  const dir = codeDirectory(map, project.dir) ?? project.dir;
  const found =
    (await nearest(map.listing, dir, ownFile[engine], files, firstLine)) ??
    (await nearest(map.listing, dir, toolVersionsName, files, (text) => toolLine(text, engine)));
  const constraint = found === null ? null : toConstraint(found.word);
  if (found !== null && constraint !== null) return { constraint, source: found.path };
  const required = map.modules.get(dir)?.said[engine].requiredVersions ?? [];
  return required.length === 0 ? null : { constraint: required.join(', '), source: 'required_version' };
}

async function nearest(
  listing: Listing,
  dir: string,
  name: string,
  files: SmallFiles,
  read: (text: string) => string | null,
): Promise<{ readonly word: string; readonly path: string } | null> {
  for (const above of upwards(dir)) {
    const path = join(above, name);
    const word = read((await files.text(listing, path)) ?? '');
    if (word !== null) return { word, path: posix.normalize(path).toWellFormed() };
  }
  return null;
}

function firstLine(text: string): string | null {
  const lines = text.split(/\r?\n/).map(withoutComment);
  return lines.find((line) => line !== '') ?? null;
}

/** Null for the words that leave it to the code, or to us. Source: github.com/tfutils/tfenv, github.com/tofuutils/tenv. */
function toConstraint(word: string): string | null {
  if (/^(?:latest|latest-allowed|latest-stable|min-required|system)$/.test(word)) return null;
  const latest = /^latest:\^?(\d+)(?:\\?\.(\d+))?(?:\\?\.)?$/.exec(word);
  if (latest !== null)
    return latest[2] === undefined ? `~> ${latest[1]}.0` : `~> ${latest[1]}.${latest[2]}.0`;
  return word.replace(/^v(?=\d)/, '');
}
