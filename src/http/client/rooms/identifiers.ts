/** Decoders of the identifiers that stand in paths and bodies of room endpoints. */
import { isEventId } from '../../../matrix/ids/event-id.ts';
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from '../../../matrix/ids/ids.ts';
import { isRoomAlias, isRoomId } from '../../../matrix/ids/room-id.ts';
import { isServerName } from '../../../matrix/ids/server-name.ts';
import { isUserId } from '../../../matrix/ids/user-id.ts';
import { type Decoder, parsed } from '../../decode.ts';

const checked =
  <T extends string>(is: (text: unknown) => text is T) =>
  (text: string): T | undefined =>
    is(text) ? text : undefined;

export const roomId = (): Decoder<RoomId> => parsed('a room ID', checked(isRoomId));
export const userId = (): Decoder<UserId> => parsed('a user ID', checked(isUserId));
export const serverName = (): Decoder<ServerName> => parsed('a server name', checked(isServerName));
export const eventId = (): Decoder<EventId> => parsed('an event ID', checked(isEventId));
export const roomAlias = (): Decoder<RoomAlias> => parsed('a room alias', checked(isRoomAlias));
export const roomIdOrAlias = (): Decoder<RoomId | RoomAlias> =>
  parsed('a room ID or alias', (text) => (isRoomId(text) || isRoomAlias(text) ? text : undefined));
