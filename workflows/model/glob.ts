// Which names does a glob mean? `*` stays within a path segment, `**` does not.

/** Matches whole names; every other character means itself. Linear: no nested repetition is built. */
export function globToPattern(glob: string): RegExp {
  const parts = glob.split(/(\*{2,}|\*)/).map((part) => {
    if (part === '*') return '[^/]*';
    if (part.startsWith('**')) return '.*';
    return part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 'su');
}
