/** Pages of what the index has, as far as one may see it and the filter wants it. */
import type { RoomEventFilter } from '../matrix/filters/event-filter.ts';
import { matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { limits } from '../platform/limits.ts';
import type { Actor, RoomsContext } from '../rooms/context.ts';
import { type SearchMatch, ranksOfMatches, searchMatches } from '../storage/stores/search-store.ts';
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

/** So few rooms are looked for in the index; so many only where a word is too common to ask for it in all rooms; of more, theirs are taken. */
const fewRoomsMax = 10;
const roomsInIndexMax = 50;
/** The first question of a search, and the later ones. */
const firstMatches = 500;
const moreMatches = 5_000;

/**
 * In the order that is asked for, behind the place, as many at a time as are asked for together. Bounded: the last one
 * may not be the last there is.
 */
export async function* findMatches(ctx: RoomsContext, search: MatchSearch): AsyncGenerator<readonly SearchMatch[]> {
  const { order, place } = search;
  if (order === 'recent') yield* newestMatches(ctx, search, place?.nid ?? Number.MAX_SAFE_INTEGER);
  else yield (await bestMatches(ctx, search)).filter((match) => place === undefined || isBehind(match, place));
}

/** Of the newest that fit. */
async function bestMatches(ctx: RoomsContext, search: MatchSearch): Promise<SearchMatch[]> {
  const found: SearchMatch[] = [];
  for await (const matches of newestMatches(ctx, search, search.place?.newest ?? Number.MAX_SAFE_INTEGER)) {
    found.push(...matches.slice(0, limits.searchRankedMax - found.length));
    if (found.length >= limits.searchRankedMax) break;
  }
  const [last, first] = [found.at(0)?.nid, found.at(-1)?.nid];
  if (first === undefined || last === undefined) return [];
  const rows = JSON.stringify(found.map(({ nid }) => [nid]));
  const ranks = await ctx.db.all(ranksOfMatches, {
    match: matchText(ctx.db.engine, search.terms, undefined),
    first,
    last,
    rows,
  });
  const byNid = new Map(ranks.map(({ nid, rank }) => [nid, rank]));
  const ranked = found.flatMap((match) => {
    const rank = byNid.get(match.nid);
    return rank === undefined ? [] : [{ ...match, rank }];
  });
  return ranked.sort((a, b) => b.rank - a.rank || b.nid - a.nid);
}

const isBehind = (match: SearchMatch, place: SearchPlace): boolean =>
  match.rank < place.rank || (match.rank === place.rank && match.nid < place.nid);

async function* newestMatches(
  ctx: RoomsContext,
  search: MatchSearch,
  start: number,
): AsyncGenerator<readonly SearchMatch[]> {
  const { rooms, terms } = search;
  if (rooms.size === 0 || terms.words.length === 0) return;
  const inRooms = (): string => matchText(ctx.db.engine, terms, rooms.all);
  let match = rooms.size <= fewRoomsMax ? inRooms() : matchText(ctx.db.engine, terms, undefined);
  let [before, limit] = [start, firstMatches];
  for (let scanned = 0; scanned < limits.searchScannedMax;) {
    const slice = await ctx.db.all(searchMatches, { match, before, limit });
    const isCommon = scanned === 0 && slice.length === limit;
    scanned += slice.length;
    if (isCommon && rooms.size > fewRoomsMax && rooms.size <= roomsInIndexMax) {
      // The same again, but only what is in those rooms.
      match = inRooms();
      continue;
    }
    yield await wantedOf(ctx, search, slice);
    const last = slice.at(-1);
    if (last === undefined || slice.length < limit) return;
    before = last.nid;
    limit = moreMatches;
  }
}

async function wantedOf(
  ctx: RoomsContext,
  { rooms, types, filter, place }: MatchSearch,
  slice: readonly SearchMatch[],
): Promise<SearchMatch[]> {
  const sender = place?.group?.key === 'sender' ? place.group.nid : undefined;
  const own = slice.filter((match) => types.has(match.type) && rooms.has(match.room));
  const ofSender = sender === undefined ? own : own.filter((match) => match.sender === sender);
  await rooms.loadAccessTo(ofSender);
  const visible = ofSender.filter(({ room, pos }) => rooms.sees(room, pos));
  const senders = [...new Set(visible.map((match) => match.sender))];
  const userIds: readonly UserId[] = await ctx.names.userIds(senders);
  const userIdOf = new Map(senders.map((nid, index) => [nid, userIds[index]]));
  // Its content is looked at when it is read.
  const { containsUrl: _content, ...ofHeader } = filter;
  return visible.filter((match) => {
    const userId = userIdOf.get(match.sender);
    const stateKey = match.type === 'm.room.message' ? undefined : '';
    return (
      userId !== undefined &&
      matchesRoomEventFilter(ofHeader, { type: match.type, sender: userId, stateKey, content: {} })
    );
  });
}
