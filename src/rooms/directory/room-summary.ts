/**
 * What the directory tells of a room: a `PublishedRoomsChunk`.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3publicrooms
 */
import type { RoomId } from '../../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { joinedCounts } from '../../storage/stores/membership-store.ts';
import { currentStateOfRooms, roomIdsOf } from '../../storage/stores/room-directory-store.ts';
import type { RoomsContext } from '../context.ts';
import { pduOf } from '../stored-event.ts';

/** A wire object. */
export type RoomSummary = {
  readonly room_id: RoomId;
  readonly num_joined_members: number;
  readonly world_readable: boolean;
  readonly guest_can_join: boolean;
  readonly join_rule: string;
  readonly name?: string;
  readonly topic?: string;
  readonly avatar_url?: string;
  readonly canonical_alias?: string;
  readonly room_type?: string;
};

/** Whose events with an empty state key are told of; a summary is out of date when one of them or a membership changes. */
export const summaryTypes = [
  'm.room.create',
  'm.room.name',
  'm.room.topic',
  'm.room.avatar',
  'm.room.canonical_alias',
  'm.room.join_rules',
  'm.room.history_visibility',
  'm.room.guest_access',
  'm.room.encryption',
] as const;
type SummaryType = (typeof summaryTypes)[number];
export type ContentOf = (type: SummaryType) => JsonObject;

/** The part of a room's current state that tells what the room is. */
export interface RoomDetails {
  readonly room: number;
  readonly roomId: RoomId;
  /** The id of its room version. */
  readonly version: string;
  readonly members: number;
  /** {}: there is no such event. */
  readonly contentOf: ContentOf;
}

/** Three reads, however many rooms; grows with the number of rooms, not with their members or state. Unknown rooms are missing. */
export async function loadRoomDetails(
  ctx: Pick<RoomsContext, 'db' | 'names'>,
  rooms: readonly number[],
): Promise<Map<number, RoomDetails>> {
  const found = await ctx.names.findSkeys(summaryTypes.map((type) => ({ type, key: '' })));
  const skeys = found.filter((skey) => skey !== undefined);
  const [ids, events, counts] = await Promise.all([
    ctx.db.all(roomIdsOf, { rooms }),
    ctx.db.all(currentStateOfRooms, { rooms, skeys }),
    ctx.db.all(joinedCounts, { rooms }),
  ]);
  const contents = new Map<string, JsonObject>();
  for (const row of events) contents.set(`${row.room} ${row.skey}`, pduOf(row)['content'] as JsonObject);
  const members = new Map(counts.map((row) => [row.room, row.members]));
  return new Map(
    ids.map(({ room, room_id: roomId, version }) => {
      const contentOf: ContentOf = (type) => contents.get(`${room} ${found[summaryTypes.indexOf(type)]}`) ?? {};
      return [room, { room, roomId: roomId as RoomId, version, members: members.get(room) ?? 0, contentOf }];
    }),
  );
}

/** As `loadRoomDetails`. */
export async function loadRoomSummaries(
  ctx: Pick<RoomsContext, 'db' | 'names'>,
  rooms: readonly number[],
): Promise<Map<number, RoomSummary>> {
  const details = await loadRoomDetails(ctx, rooms);
  return new Map(
    Array.from(details, ([room, { roomId, members, contentOf }]) => [room, summaryOf(roomId, members, contentOf)]),
  );
}

/** Contents come from clients: a value of a wrong type counts as absent. */
export function summaryOf(roomId: RoomId, members: number, contentOf: ContentOf): RoomSummary {
  return {
    room_id: roomId,
    num_joined_members: members,
    world_readable: contentOf('m.room.history_visibility')['history_visibility'] === 'world_readable',
    guest_can_join: contentOf('m.room.guest_access')['guest_access'] === 'can_join',
    join_rule: textIn(contentOf('m.room.join_rules')['join_rule']) ?? 'invite',
    ...named('name', contentOf('m.room.name')['name']),
    ...named('topic', plainTopic(contentOf('m.room.topic'))),
    ...named('avatar_url', contentOf('m.room.avatar')['url']),
    ...named('canonical_alias', contentOf('m.room.canonical_alias')['alias']),
    ...named('room_type', contentOf('m.room.create')['type']),
  };
}

/**
 * The text/plain representation, else the plain topic; without the latter the topic is unset.
 * https://spec.matrix.org/v1.19/client-server-api/#mroomtopic
 */
function plainTopic({ topic, 'm.topic': rich }: JsonObject): JsonValue | undefined {
  if (textIn(topic) === undefined || !isJsonObject(rich)) return topic;
  const { 'm.text': representations } = rich;
  if (!Array.isArray(representations)) return topic;
  const plain = representations.find(
    (entry: JsonValue) => isJsonObject(entry) && (entry['mimetype'] ?? 'text/plain') === 'text/plain',
  ) as JsonObject | undefined;
  return textIn(plain?.['body']) ?? topic;
}

function named<K extends string>(key: K, value: JsonValue | undefined): { readonly [P in K]?: string } {
  const text = textIn(value);
  return text === undefined ? {} : ({ [key]: text } as { readonly [P in K]?: string });
}

const textIn = (value: JsonValue | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
