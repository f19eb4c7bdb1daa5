/** Filters that clients define once and name later. https://spec.matrix.org/v1.19/client-server-api/#filtering */
import { badJson, notFound, tooLarge } from '../matrix/errors.ts';
import { parseSyncFilter, type SyncFilter } from '../matrix/filters/sync-filter.ts';
import { canonicalJson, CanonicalJsonError } from '../matrix/json/canonical-json.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import {
  deleteFiltersUpTo,
  filterIdOfJson,
  filterOfUser,
  highestFilterId,
  insertFilter,
} from '../storage/stores/filter-store.ts';
import type { AccountsContext } from './context.ts';

/**
 * Stores a filter and gives its id; the same filter has the same id. Beyond a thousand the oldest goes: a client whose
 * filter is gone defines it anew. Throws 400 M_BAD_JSON for what is no filter, 413 M_TOO_LARGE.
 */
export async function defineFilter(
  ctx: Pick<AccountsContext, 'db' | 'locks' | 'syncFilters'>,
  user: number,
  filter: JsonObject,
): Promise<string> {
  parseSyncFilter(filter);
  const json = canonical(filter);
  if (Buffer.byteLength(json) > limits.filterBytesMax)
    throw tooLarge(`A filter has at most ${limits.filterBytesMax} bytes`);
  return ctx.locks.run(user, async () => {
    const known = await ctx.db.one(filterIdOfJson, { user, json });
    if (known !== undefined) return String(known.filter_id);
    const highest = (await ctx.db.one(highestFilterId, { user }))?.highest ?? -1;
    const filterId = highest + 1;
    await ctx.db.write((unit) => {
      unit.run(insertFilter, { user, filterId, json });
      if (filterId >= limits.filtersMax) unit.run(deleteFiltersUpTo, { user, filterId: filterId - limits.filtersMax });
    }).committed;
    ctx.syncFilters.forget(user, String(filterId - limits.filtersMax));
    return String(filterId);
  });
}

/** As it was defined. Throws 404 M_NOT_FOUND. */
export async function getFilter(ctx: Pick<AccountsContext, 'db'>, user: number, id: string): Promise<JsonObject> {
  const filter = await find(ctx, user, id);
  if (filter === undefined) throw notFound('Unknown filter');
  return filter;
}

/** For /sync; undefined: the user has no such filter. */
export async function findSyncFilter(
  ctx: Pick<AccountsContext, 'db' | 'syncFilters'>,
  user: number,
  id: string,
): Promise<SyncFilter | undefined> {
  const known = ctx.syncFilters.find(user, id);
  if (known !== undefined) return known;
  const filter = await find(ctx, user, id);
  return filter && ctx.syncFilters.keep(user, id, filter);
}

async function find(ctx: Pick<AccountsContext, 'db'>, user: number, id: string): Promise<JsonObject | undefined> {
  const row = /^\d{1,15}$/.test(id) ? await ctx.db.one(filterOfUser, { user, filterId: Number(id) }) : undefined;
  return row && (JSON.parse(row.json) as JsonObject);
}

function canonical(filter: JsonObject): string {
  try {
    return canonicalJson(filter);
  } catch (error) {
    throw error instanceof CanonicalJsonError ? badJson(error.message) : error;
  }
}
