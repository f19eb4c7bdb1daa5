/** Stored filters as /sync uses them, parsed once: a client names the same one in each of its requests. */
import { parseSyncFilter, type SyncFilter } from '../matrix/filters/sync-filter.ts';
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';

export class SyncFilters {
  readonly #parsed = new Lru<string, Known>({ sizeMax: limits.knownFiltersBytesMax, sizeOf: ({ bytes }) => bytes });

  find(user: number, id: string): SyncFilter | undefined {
    return this.#parsed.find(`${user} ${id}`)?.filter;
  }

  /** An id means the same filter for as long as it means one, so what was read may be kept. */
  keep(user: number, id: string, json: Parameters<typeof parseSyncFilter>[0]): SyncFilter {
    const filter = parseSyncFilter(json);
    this.#parsed.set(`${user} ${id}`, { filter, bytes: overheadBytes + JSON.stringify(json).length });
    return filter;
  }

  forget(user: number, id: string): void {
    this.#parsed.delete(`${user} ${id}`);
  }
}

interface Known {
  readonly filter: SyncFilter;
  /** About what it takes. */
  readonly bytes: number;
}
const overheadBytes = 1_000;
