/** Loads what the rules of history visibility decide by, for one user in one room. */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { forbidden } from '../matrix/errors.ts';
import { userRoom } from '../storage/stores/membership-store.ts';
import { historyOfKeys, historyOfKeysInRooms } from '../storage/stores/state-line-store.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { RoomsContext } from './context.ts';
import {
  type HistoryVisibility,
  type Since,
  type VisibilityTimeline,
  historyVisibilityOf,
} from './history-visibility.ts';
import { pduOf } from './stored-event.ts';

/** Both keys as they changed in the room's current state: a few rows each, whatever the room's size. */
export async function loadVisibility(ctx: RoomsContext, room: number, userId: string): Promise<VisibilityTimeline> {
  const keys = await decidingKeys(ctx, userId);
  const rows = await ctx.db.all(historyOfKeys, { room, ...keys });
  const contentOf = (body: Buffer | null): JsonObject =>
    body === null ? {} : (pduOf({ body })['content'] as JsonObject);
  const changes = rows.map(({ skey, pos, body }) => ({ skey, pos, content: contentOf(body) }));
  return timelineOf(changes, keys, userId);
}

/** The same of many rooms. `contentsOf` gives what events have as their content, by their numbers. */
export async function loadVisibilities(
  ctx: RoomsContext,
  rooms: readonly number[],
  userId: string,
  contentsOf: (nids: readonly number[]) => Promise<ReadonlyMap<number, JsonObject>>,
): Promise<ReadonlyMap<number, VisibilityTimeline>> {
  const keys = await decidingKeys(ctx, userId);
  const rows = await ctx.db.all(historyOfKeysInRooms, { rooms, ...keys });
  const contents = await contentsOf(rows.flatMap(({ event }) => event ?? []));
  const changes = Map.groupBy(rows, (row) => row.room);
  const ofRoom = (room: number): KeyChange[] =>
    (changes.get(room) ?? []).map(({ skey, pos, event }) => ({
      skey,
      pos,
      content: contents.get(event ?? none) ?? {},
    }));
  return new Map(rooms.map((room) => [room, timelineOf(ofRoom(room), keys, userId)]));
}

interface DecidingKeys {
  /** Of the history visibility. */
  readonly first: number;
  /** Of the user's membership. */
  readonly second: number;
}

async function decidingKeys(ctx: RoomsContext, userId: string): Promise<DecidingKeys> {
  const [first = neverUsed, second = neverUsed] = await ctx.names.findSkeys([
    { type: 'm.room.history_visibility', key: '' },
    { type: 'm.room.member', key: userId },
  ]);
  return { first, second };
}

interface KeyChange {
  readonly skey: number;
  readonly pos: number;
  readonly content: JsonObject;
}

function timelineOf(changes: readonly KeyChange[], keys: DecidingKeys, userId: string): VisibilityTimeline {
  const timeline: { visibilities: Since<HistoryVisibility>[]; memberships: Since<string>[]; userId: string } = {
    visibilities: [],
    memberships: [],
    userId,
  };
  for (const { skey, pos, content } of changes) {
    const { history_visibility: value, membership } = content;
    if (skey === keys.first) timeline.visibilities.push({ pos, value: historyVisibilityOf(value) });
    else timeline.memberships.push({ pos, value: typeof membership === 'string' ? membership : 'leave' });
  }
  return timeline;
}

/** No state key is interned under it. */
const neverUsed = -1;
/** No event has it. */
const none = -1;

/** What a user may read of a room now. */
export interface ReadAccess {
  readonly timeline: VisibilityTimeline;
  /** The membership now; undefined: never had one. */
  readonly membership: string | undefined;
  /**
   * The position whose state they may see: undefined for members (the current one), the position at which they left
   * for those who were members.
   */
  readonly statePos: number | undefined;
}

/**
 * Throws M_FORBIDDEN for users who were never members, unless the room is world-readable. Whoever has forgotten the room
 * never was one.
 */
export async function readAccess(ctx: RoomsContext, room: number, userId: UserId): Promise<ReadAccess> {
  const known = await loadVisibility(ctx, room, userId);
  if (known.memberships.at(-1)?.value === 'join') return { timeline: known, membership: 'join', statePos: undefined };
  const timeline = (await hasForgotten(ctx, room, userId)) ? { ...known, memberships: [] } : known;
  const membership = timeline.memberships.at(-1)?.value;
  if (timeline.visibilities.at(-1)?.value === 'world_readable') return { timeline, membership, statePos: undefined };
  const lastJoined = timeline.memberships.findLastIndex((entry) => entry.value === 'join');
  const left = timeline.memberships[lastJoined + 1];
  if (lastJoined < 0 || left === undefined) throw forbidden('You are not in this room');
  return { timeline, membership, statePos: left.pos };
}

async function hasForgotten(ctx: RoomsContext, room: number, userId: UserId): Promise<boolean> {
  const row = await ctx.db.one(userRoom, { user: await ctx.names.userNid(userId), room });
  return row?.forgotten === 1;
}
