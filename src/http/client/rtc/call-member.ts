import { object, optional, string } from '../../decode.ts';
import { roomId, serverName } from '../rooms/identifiers.ts';

/** How a member of a call is named in a request: what m.rtc.member says of them. */
export const callMemberFields = {
  room_id: roomId(),
  slot_id: string({ maxBytes: 255 }),
  member: object({ id: string({ maxBytes: 255 }), claimed_device_id: optional(string({ maxBytes: 255 })) }),
  /** The WebSocket URL of LiveKit. */
  url: optional(string({ maxBytes: 2_000 })),
  /** Whose LiveKit is meant. */
  server_name: optional(serverName()),
};
