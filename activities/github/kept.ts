// What was made lately and may be needed again, as much as there is room for?

/** What is not used is forgotten first. `bytes` are an estimate of what an entry takes. */
export type Kept<Value> = {
  get(key: string): Value | undefined;
  set(key: string, value: Value, bytes: number): void;
};

/** An entry that alone is larger than `maxBytes` is not kept. */
export function createKept<Value>(maxBytes: number): Kept<Value> {
  const entries = new Map<string, { readonly value: Value; readonly bytes: number }>();
  let total = 0;
  const drop = (key: string): void => {
    total -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, bytes) {
      drop(key);
      if (bytes > maxBytes) return;
      entries.set(key, { value, bytes });
      total += bytes;
      for (const oldest of entries.keys()) {
        if (total <= maxBytes) break;
        drop(oldest);
      }
    },
  };
}
