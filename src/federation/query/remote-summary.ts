import { isRoomId } from '../../matrix/ids/room-id.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import type { RemoteRoomPreview } from '../../rooms/ports.ts';

/** A room as another server describes it, with what clients may rely on; undefined: that is missing. Pure. */
export function remoteSummary(value: JsonValue): (JsonObject & { readonly room_id: RoomId }) | undefined {
  if (!isJsonObject(value)) return undefined;
  const { room_id: roomId, num_joined_members: members, world_readable: isReadable, guest_can_join: isOpen } = value;
  if (!isRoomId(roomId) || typeof isReadable !== 'boolean' || typeof isOpen !== 'boolean') return undefined;
  if (typeof members !== 'number' || !Number.isSafeInteger(members) || members < 0) return undefined;
  const texts = textNames.filter((name) => typeof value[name] === 'string').map((name) => [name, value[name]] as const);
  return {
    ...Object.fromEntries(texts),
    room_id: roomId,
    num_joined_members: members,
    world_readable: isReadable,
    guest_can_join: isOpen,
  };
}

/** The same with whose members may join, and a join rule in any case. Pure. */
export function remotePreview(value: JsonValue): RemoteRoomPreview | undefined {
  const summary = remoteSummary(value);
  if (summary === undefined || !isJsonObject(value)) return undefined;
  const { allowed_room_ids: allowed } = value;
  // https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias: absent is public.
  const { join_rule: joinRule = 'public' } = summary;
  return {
    ...(summary as typeof summary & Pick<RemoteRoomPreview, SafeNames>),
    join_rule: joinRule as string,
    ...(Array.isArray(allowed) ? { allowed_room_ids: allowed.filter((roomId) => isRoomId(roomId)) } : {}),
  };
}
type SafeNames = 'num_joined_members' | 'world_readable' | 'guest_can_join';

const textNames = [
  'name',
  'topic',
  'avatar_url',
  'canonical_alias',
  'join_rule',
  'room_type',
  'room_version',
  'encryption',
] as const;
