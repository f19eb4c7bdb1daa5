/** Full-text search of what was said. https://spec.matrix.org/v1.19/client-server-api/#server-side-search */
import { matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { Actor, RoomsContext } from '../rooms/context.ts';
import { erasedFor, sourceEvent } from '../rooms/erasure.ts';
import type { SearchMatch } from '../storage/stores/search-store.ts';
import { eventsByNids } from '../storage/stores/timeline-store.ts';
import { type MatchSearch, findMatches } from './find-matches.ts';
import { searchKeys, searchedTextOf } from './indexed-event.ts';
import { type Result, RoomReaders } from './room-readers.ts';
import {
  type EventSearch,
  type GroupKey,
  type SearchPlace,
  formatSearchToken,
  parseSearchToken,
} from './search-request.ts';
import { type SearchTerms, highlightsIn, searchTermsOf } from './search-terms.ts';
import { SearchedRooms } from './searched-rooms.ts';

/**
 * `room_events` of the answer, in the form of the wire. Found is what the user may see, whether they are still in the room or not;
 * nothing of end-to-end encrypted rooms is in the index. Errors: M_INVALID_PARAM (a token of another search).
 */
export async function searchEvents(ctx: RoomsContext, actor: Actor, request: EventSearch): Promise<JsonObject> {
  const place = request.nextBatch === undefined ? undefined : parseSearchToken(request.nextBatch, request.orderBy);
  const terms = searchTermsOf(request.term);
  const ignoredSenders = await ctx.ignored.of(actor);
  const rooms = await SearchedRooms.load(ctx, actor, request.filter);
  const search: MatchSearch = {
    terms,
    rooms: place?.group?.key === 'room_id' ? rooms.only(place.group.nid) : rooms,
    actor,
    types: new Set(request.keys.map((key) => searchKeys[key])),
    filter: { ...noFilter, ...request.filter, ignoredSenders },
    order: request.orderBy,
    place,
  };
  const limit = Math.min(request.filter?.limit ?? limits.searchResultsDefault, limits.searchResultsMax);
  const page = await readPage(ctx, search, limit);
  const readers = new RoomReaders(ctx, actor, search.rooms);
  const count = place?.count ?? page.looked;
  const next = page.isFull ? placeOf(search, page.results.at(-1), count) : undefined;
  return {
    count,
    highlights: highlightsOf(page.results, terms),
    results: await readers.resultsOf(page.results, request.context),
    ...(request.includeState ? { state: await readers.stateOf(page.results) } : {}),
    ...(request.groupBy.length === 0 ? {} : { groups: await groupsOf(ctx, search, page, request.groupBy, count) }),
    ...(next === undefined ? {} : { next_batch: formatSearchToken(next) }),
  };
}

const noFilter = { lazyLoadMembers: false, includeRedundantMembers: false, unreadThreadNotifications: false };

interface ResultPage {
  readonly results: readonly Result[];
  /** There may be more. */
  readonly isFull: boolean;
  /** How many were found on the way to them, which is what is told as the count. Of what is in an event only the words count. */
  readonly looked: number;
}

/** Events are read as many at a time as are still wanted. */
async function readPage(ctx: RoomsContext, search: MatchSearch, limit: number): Promise<ResultPage> {
  const results: Result[] = [];
  let looked = 0;
  for await (const matches of findMatches(ctx, search)) {
    looked += matches.length;
    for (let at = 0; at < matches.length && results.length < limit;) {
      const some = matches.slice(at, at + limit - results.length);
      at += some.length;
      results.push(...(await resultsFor(ctx, search, some)));
    }
    if (results.length >= limit) break;
  }
  return { results, isFull: results.length >= limit && limit > 0, looked };
}

/** In the order of the matches; without what is not for the reader, and what the filter leaves out by its content. */
async function resultsFor(
  ctx: RoomsContext,
  search: MatchSearch,
  matches: readonly SearchMatch[],
): Promise<readonly Result[]> {
  if (matches.length === 0) return [];
  const rows = await ctx.db.all(eventsByNids, { nids: matches.map(({ nid }) => nid) });
  const byNid = new Map(rows.map((row) => [row.nid, row]));
  const results: Result[] = [];
  for (const match of matches) {
    const row = byNid.get(match.nid);
    const access = await search.rooms.accessTo(match.room);
    if (row === undefined || row.redacted_by !== null || access === undefined) continue;
    const source = sourceEvent(row);
    if (erasedFor(ctx, access.timeline)(source)) continue;
    const { type, content } = source.pdu as { type: string; content: JsonObject };
    if (matchesRoomEventFilter(search.filter, { type, content, sender: source.sender, stateKey: '' }))
      results.push({ match, row, source });
  }
  return results;
}

/** Behind `last`. `count`: what the first page told. */
function placeOf(
  { order, place }: MatchSearch,
  last: Result | undefined,
  count: number,
  group = place?.group,
): SearchPlace | undefined {
  if (last === undefined) return undefined;
  return {
    order,
    nid: last.match.nid,
    rank: last.match.rank,
    newest: place?.newest ?? Number.MAX_SAFE_INTEGER,
    count,
    group,
  };
}

function highlightsOf(results: readonly Result[], terms: SearchTerms): readonly string[] {
  const found = results.flatMap(({ row, source: { pdu } }) => {
    const { type, content } = pdu as { type: string; content: JsonObject };
    return highlightsIn(searchedTextOf({ type, content, stateKey: row.skey === null ? undefined : '' }), terms);
  });
  return [...new Set(found)];
}

async function groupsOf(
  ctx: RoomsContext,
  search: MatchSearch,
  { results, isFull }: ResultPage,
  keys: readonly GroupKey[],
  count: number,
): Promise<JsonObject> {
  const groups: Record<string, JsonObject> = {};
  for (const key of keys) {
    const members = Map.groupBy(results, ({ match }) => (key === 'room_id' ? match.room : match.sender));
    const entries: [string, JsonObject][] = [];
    for (const [nid, ofGroup] of members) {
      const next = isFull ? placeOf(search, ofGroup.at(-1), count, { key, nid }) : undefined;
      entries.push([
        await nameOf(ctx, key, nid),
        {
          order: entries.length,
          results: ofGroup.map(({ row }) => row.event_id),
          ...(next === undefined ? {} : { next_batch: formatSearchToken(next) }),
        },
      ]);
    }
    groups[key] = Object.fromEntries(entries);
  }
  return groups;
}

async function nameOf(ctx: RoomsContext, key: GroupKey, nid: number): Promise<string> {
  if (key === 'room_id') return (await ctx.dags.openByNid(nid)).roomId;
  const userId: UserId = await ctx.names.userId(nid);
  return userId;
}
