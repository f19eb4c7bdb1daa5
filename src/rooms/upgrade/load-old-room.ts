/** What the replacement of a room is made of. */
import { creatorsOf } from '../../matrix/event-auth/creators.ts';
import type { UserId } from '../../matrix/ids/ids.ts';
import { isRoomId } from '../../matrix/ids/room-id.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { membersOf } from '../../storage/stores/membership-store.ts';
import { aliasesOfRoom, publishedRoom } from '../../storage/stores/room-directory-store.ts';
import type { RoomsContext } from '../context.ts';
import type { RoomDag } from '../dag/contract.ts';
import { memberRows, stateRows } from '../read-state.ts';
import { pduOf } from '../stored-event.ts';
import { type OldRoom, carriedTypes } from './upgraded-room-events.ts';

const sliceMembers = 500;

export interface LoadedOldRoom {
  readonly old: OldRoom;
  /** It stands in the directory. */
  readonly isPublished: boolean;
}

/** To be called with the room's lock held and everything on disk. Grows with the banned users; in spaces, with the state. */
export async function loadOldRoom(ctx: RoomsContext, dag: RoomDag): Promise<LoadedOldRoom> {
  const create = await dag.currentEvent('m.room.create', '');
  if (create === undefined) throw new Error(`${dag.roomId} has no create event`);
  const contentOf = async (type: string): Promise<JsonObject | undefined> =>
    (await dag.currentEvent(type, ''))?.content;
  const carried = new Map<string, JsonObject>();
  for (const type of carriedTypes) {
    const content = await contentOf(type);
    // What was redacted says nothing any more.
    if (content !== undefined && Object.keys(content).length > 0) carried.set(type, content);
  }
  const aliases = await ctx.db.all(aliasesOfRoom, { room: dag.room });
  const old: OldRoom = {
    roomId: dag.roomId,
    create,
    powerLevels: {
      content: await contentOf('m.room.power_levels'),
      rules: dag.rules,
      creators: creatorsOf(create, dag.rules),
    },
    lastEventId: dag.frontier().prevEvents[0]?.eventId,
    carried,
    canonicalAlias: (await contentOf('m.room.canonical_alias')) ?? {},
    aliases: new Set(aliases.map(({ alias }) => alias)),
    children: create.content['type'] === 'm.space' ? await childrenOf(ctx, dag) : [],
    bans: await bansOf(ctx, dag),
  };
  return { old, isPublished: (await ctx.db.one(publishedRoom, { room: dag.room })) !== undefined };
}

/** Links without `via` are links no more. https://spec.matrix.org/v1.19/client-server-api/#mspacechild */
async function childrenOf(ctx: RoomsContext, dag: RoomDag): Promise<OldRoom['children']> {
  const rows = await stateRows(ctx, dag, ctx.db.committedPos(), { type: 'm.space.child' });
  return rows.flatMap((row) => {
    const { state_key: stateKey, content } = pduOf(row) as { state_key: string; content: JsonObject };
    return Array.isArray(content['via']) && isRoomId(stateKey) ? [{ stateKey, content }] : [];
  });
}

async function bansOf(ctx: RoomsContext, dag: RoomDag): Promise<OldRoom['bans']> {
  const pos = ctx.db.committedPos();
  const banned = await ctx.db.all(membersOf, { room: dag.room, membership: 'ban', limit: Number.MAX_SAFE_INTEGER });
  const bans: OldRoom['bans'][number][] = [];
  for (let i = 0; i < banned.length; i += sliceMembers) {
    const userIds = await ctx.names.userIds(banned.slice(i, i + sliceMembers).map((row) => row.user_nid));
    for (const row of await memberRows(ctx, dag, pos, userIds)) {
      const { state_key: userId, content } = pduOf(row) as { state_key: UserId; content: JsonObject };
      bans.push({ userId, reason: content['reason'] });
    }
  }
  return bans.toSorted((a, b) => (a.userId < b.userId ? -1 : 1));
}
