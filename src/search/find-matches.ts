/** Pages of what the index has, as far as one may see it and the filter wants it. */
import type { RoomEventFilter } from '../matrix/filters/event-filter.ts';
import { matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { limits } from '../platform/limits.ts';
import type { Actor, RoomsContext } from '../rooms/context.ts';
import { type SearchMatch, rankedSearchMatches, searchMatches } from '../storage/stores/search-store.ts';
import type { SearchOrder, SearchPlace } from './search-request.ts';
import { type SearchTerms, matchText } from './search-terms.ts';
import type { SearchedRooms } from './searched-rooms.ts';

export interface MatchSearch {
  readonly terms: SearchTerms;
  readonly rooms: SearchedRooms;
  readonly actor: Actor;
  /** Types of events that can have the keys that are searched. */
  readonly types: ReadonlySet<string>;
  readonly filter: RoomEventFilter;
  readonly order: SearchOrder;
  readonly place: SearchPlace | undefined;
}

/** So few rooms are looked for in the index; of more, the index is asked for all and theirs are taken. */
const roomsInIndexMax = 10;
const sliceMatches = 500;

/** In the order that is asked for, behind the place. Bounded: the last one may not be the last there is. */
export async function* findMatches(ctx: RoomsContext, search: MatchSearch): AsyncGenerator<SearchMatch> {
  const { order, place } = search;
  if (order === 'recent') {
    yield* newestMatches(ctx, search, place?.nid ?? Number.MAX_SAFE_INTEGER, false);
    return;
  }
  const ranked: SearchMatch[] = [];
  const newest = place?.newest ?? Number.MAX_SAFE_INTEGER;
  for await (const match of newestMatches(ctx, search, newest, true))
    if (ranked.push(match) >= limits.searchRankedMax) break;
  ranked.sort((a, b) => b.rank - a.rank || b.nid - a.nid);
  yield* ranked.filter((match) => place === undefined || isBehind(match, place));
}

/** How many there are of the newest, at most `limits.searchCountedMax`; of what is in an event only the words count. */
export async function countMatches(ctx: RoomsContext, search: MatchSearch): Promise<number> {
  const matches = newestMatches(ctx, search, Number.MAX_SAFE_INTEGER, false);
  let count = 0;
  while (count < limits.searchCountedMax && (await matches.next()).done !== true) count++;
  return count;
}

const isBehind = (match: SearchMatch, place: SearchPlace): boolean =>
  match.rank < place.rank || (match.rank === place.rank && match.nid < place.nid);

async function* newestMatches(
  ctx: RoomsContext,
  search: MatchSearch,
  start: number,
  isRanked: boolean,
): AsyncGenerator<SearchMatch> {
  const { rooms, terms } = search;
  if (rooms.size === 0 || terms.words.length === 0) return;
  const match = matchText(ctx.db.engine, terms, rooms.size <= roomsInIndexMax ? rooms.all : undefined);
  const query = isRanked ? rankedSearchMatches : searchMatches;
  let before = start;
  for (let scanned = 0; scanned < limits.searchScannedMax;) {
    const slice = await ctx.db.all(query, { match, before, limit: sliceMatches });
    for (const row of slice) if (await isWanted(ctx, search, row)) yield row;
    const last = slice.at(-1);
    if (last === undefined || slice.length < sliceMatches) return;
    before = last.nid;
    scanned += slice.length;
  }
}

async function isWanted(
  ctx: RoomsContext,
  { rooms, types, filter, place }: MatchSearch,
  match: SearchMatch,
): Promise<boolean> {
  const { room, pos, type } = match;
  if (!types.has(type) || !(await rooms.sees(room, pos))) return false;
  if (place?.group?.key === 'sender' && match.sender !== place.group.nid) return false;
  const sender: UserId = await ctx.names.userId(match.sender);
  // Its content is looked at when it is read.
  const { containsUrl: _content, ...ofHeader } = filter;
  return matchesRoomEventFilter(ofHeader, {
    type,
    sender,
    stateKey: type === 'm.room.message' ? undefined : '',
    content: {},
  });
}
