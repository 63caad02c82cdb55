// Which names does a glob mean? `*` stays within a path segment, `**` does not.

/**
 * Matches whole names; every other character means itself. The work is at most glob times name: what people type into
 * comments must not keep a workflow busy, as a regular expression with many stars would.
 */
export function createGlob(glob: string): (name: string) => boolean {
  const parts = glob.split(/(\*+)/).filter((part) => part !== '');
  return (name) => {
    let reached: readonly number[] = [0];
    for (const part of parts)
      reached = part.startsWith('*') ? spread(reached, part, name) : step(reached, part, name);
    return reached.at(-1) === name.length;
  };
}

/** From each place on, in ascending order, as far as the star may go. */
function spread(from: readonly number[], star: string, name: string): readonly number[] {
  const places: number[] = [];
  for (const start of from) {
    // An earlier place has come by here, and went as far.
    if (start <= (places.at(-1) ?? -1)) continue;
    for (let at = start; at <= name.length; at++) {
      places.push(at);
      if (star === '*' && name[at] === '/') break;
    }
  }
  return places;
}

function step(from: readonly number[], text: string, name: string): readonly number[] {
  return from.filter((at) => name.startsWith(text, at)).map((at) => at + text.length);
}
