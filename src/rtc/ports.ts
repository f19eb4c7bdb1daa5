/** What rtc needs from others and must not import. The composition root hands the implementations over. */
import type { RoomId, ServerName, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';

/** Who is who, and who is where; `accounts`, `rooms` and `federation` implement it. */
export interface Callers {
  /** Throws 401 M_UNKNOWN_TOKEN. */
  openIdTokenOwner(token: string): Promise<UserId>;
  /** Of another server's token; one that is not allowed to have users here is not asked. Throws 401 M_UNKNOWN_TOKEN, 502 M_UNKNOWN. */
  remoteOpenIdTokenOwner(server: ServerName, token: string): Promise<UserId>;
  /** Throws M_FORBIDDEN, of users of other servers also where nobody of ours is in the room. */
  assertJoined(userId: UserId, roomId: RoomId): Promise<void>;
  userNid(userId: UserId): Promise<number>;
}

/** The delayed events of `rooms`. */
export interface LeaveEvents {
  get(owner: { readonly userNid: number }, delayId: string): Promise<JsonObject>;
  /** Throws M_NOT_FOUND, or 409 where the opposite was done. */
  manage(owner: { readonly userNid: number }, delayId: string, action: 'send' | 'restart'): Promise<void>;
}
