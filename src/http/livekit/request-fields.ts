/** What clients send to the service that gives out LiveKit tokens, as they know it from elsewhere. */
import { object, optional, integer, string } from '../decode.ts';
import { roomId, serverName, userId } from '../client/rooms/identifiers.ts';

export const openIdToken = object({ access_token: string({ maxBytes: 1_024 }), matrix_server_name: serverName() });

/** The delayed event that is to be looked after; its delay is known here. */
export const delayFields = {
  delay_id: optional(string({ maxBytes: 255 })),
  delay_timeout: optional(integer({ min: 1 })),
};

export const memberFields = {
  room_id: roomId(),
  slot_id: string({ maxBytes: 255 }),
  openid_token: openIdToken,
  member: object({
    id: string({ maxBytes: 255 }),
    claimed_user_id: userId(),
    claimed_device_id: string({ maxBytes: 255 }),
  }),
};
