// What was already computed from the same input that never changes?

/**
 * Keeps the last `max` results by key and shares one that is still under way; a failure is not kept. Only for what
 * depends on git objects alone: their names are their content.
 */
export function createMemo<Value>(max: number) {
  const known = new Map<string, Promise<Value>>();
  return (key: string, compute: () => Promise<Value>): Promise<Value> => {
    const value = known.get(key) ?? compute();
    // Set anew each time, so that the first key of the map is the one not wanted for longest.
    known.delete(key);
    known.set(key, value);
    value.catch(() => known.get(key) === value && known.delete(key));
    const oldest = known.size > max ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    return value;
  };
}
