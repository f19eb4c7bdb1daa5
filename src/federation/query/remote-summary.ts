import { isRoomId } from '../../matrix/ids/room-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';

/** A room as another server describes it, with what clients may rely on; undefined: that is missing. Pure. */
export function remoteSummary(value: JsonValue): (JsonObject & { readonly room_id: string }) | undefined {
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
