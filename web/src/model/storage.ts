// Small texts that outlive a reload. Storage that is refused (private mode, settings) becomes memory, and says so.

export interface Store {
  /** False: what is kept ends with the tab. */
  readonly durable: boolean;
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(prefix: string): string[];
}

export function memoryStore(): Store {
  const map = new Map<string, string>();
  return {
    durable: false,
    get: (key) => map.get(key) ?? null,
    set: (key, value) => void map.set(key, value),
    remove: (key) => void map.delete(key),
    keys: (prefix) => [...map.keys()].filter((k) => k.startsWith(prefix)),
  };
}

/** Wraps localStorage; `open` may throw, as `() => window.localStorage` does where storage is refused. */
export function webStore(open: () => Storage): Store {
  let area: Storage;
  try {
    area = open();
    area.setItem('firstline', '1');
    area.removeItem('firstline');
  } catch {
    return memoryStore();
  }
  const spare = memoryStore(); // what no longer fits
  return {
    durable: true,
    get: (key) => spare.get(key) ?? area.getItem(key),
    set: (key, value) => {
      try {
        area.setItem(key, value);
        spare.remove(key);
      } catch {
        spare.set(key, value);
      }
    },
    remove: (key) => {
      spare.remove(key);
      area.removeItem(key);
    },
    keys: (prefix) => {
      const found = new Set(spare.keys(prefix));
      for (let i = 0; i < area.length; i++) {
        const key = area.key(i);
        if (key?.startsWith(prefix)) found.add(key);
      }
      return [...found];
    },
  };
}

export function readJson(store: Store, key: string): unknown {
  const text = store.get(key);
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
