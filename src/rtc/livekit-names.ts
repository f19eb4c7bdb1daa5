/**
 * What LiveKit knows of rooms and people: hashes that tell it nothing. https://github.com/matrix-org/matrix-spec-proposals/pull/4195
 * (MSC4195)
 */
import { hash } from 'node:crypto';
import { canonicalJson } from '../matrix/json/canonical-json.ts';
import { encodeBase64 } from '../matrix/ids/base64.ts';

/** The name of the LiveKit room for a slot of a room. */
export const livekitRoom = (roomId: string, slotId: string): string => digest([roomId, slotId]);

/** The name of a member of a call, one for each time that a device takes part. */
export const livekitIdentity = (userId: string, deviceId: string, memberId: string): string =>
  digest([userId, deviceId, memberId]);

/** The slot of a room's own call. */
export const roomCallSlot = 'm.call#ROOM';

function digest(parts: readonly string[]): string {
  return encodeBase64(hash('sha256', canonicalJson(parts), 'buffer'));
}
