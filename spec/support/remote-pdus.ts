/** Events as another server would send them: hashed and signed, of no room in particular. */
import { finishEvent } from '../../src/matrix/crypto/finish-event.ts';
import type { SigningKey } from '../../src/matrix/crypto/ed25519.ts';
import { isJsonObject, type JsonObject } from '../../src/matrix/json/json-value.ts';
import { parseJson } from '../../src/matrix/json/parse-json.ts';
import type { RoomVersionRules } from '../../src/matrix/room-versions/rules.ts';
import { findRoomVersion } from '../../src/matrix/room-versions/table.ts';

export const remoteRoomId = '!room:peer.test';

/** A message of the server's user; `more` replaces properties. */
export function remoteMessage(
  { name, key }: { readonly name: string; readonly key: SigningKey },
  version: string,
  text: string,
  more: JsonObject = {},
): JsonObject {
  const rules = rulesOf(version);
  const pdu = {
    ...(rules.eventFormat.eventIdField ? { event_id: `$${text.replaceAll(/\W/g, '')}:${name}` } : {}),
    type: 'm.room.message',
    room_id: rules.eventFormat.createWithoutRoomId ? `!${'r'.repeat(43)}` : remoteRoomId,
    sender: `@user:${name}`,
    content: { msgtype: 'm.text', body: text },
    origin_server_ts: 1_705_305_600_000,
    depth: 12,
    prev_events: referencesOf(rules, 1),
    auth_events: referencesOf(rules, 3),
    ...more,
  };
  return finishEvent(pdu, rules, name, key).event.pdu;
}

function referencesOf(rules: RoomVersionRules, count: number): JsonObject[string] {
  const ids = Array.from({ length: count }, (_, index) =>
    rules.referenceFormat === 'id'
      ? `$${String(index).repeat(43)}`
      : [`$${index}:peer.test`, { sha256: 'A'.repeat(43) }],
  );
  return ids;
}

/** As it comes over the wire. */
export function exactly(text: string): JsonObject {
  const value = parseJson(text, { numbers: 'exact' });
  if (!isJsonObject(value)) throw new Error('no object');
  return value;
}

export function rulesOf(version: string): RoomVersionRules {
  const rules = findRoomVersion(version);
  if (rules === undefined) throw new Error(`there is no room version ${version}`);
  return rules;
}
