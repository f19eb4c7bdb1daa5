import type { JsonObject, JsonValue } from '../../matrix/json/json-value.ts';
import { isJsonObject } from '../../matrix/json/json-value.ts';
import { numericValue } from '../../matrix/json/raw-number.ts';
import { signingKeyIds } from '../../matrix/json/signed-json.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { isServerName } from '../../matrix/ids/server-name.ts';
import type { WantedKey } from '../contract.ts';

/**
 * The keys with which events may have to be checked, whatever their room version: each once, with the latest time at which it signed.
 * The events may be malformed.
 */
export function wantedKeys(pdus: readonly JsonObject[]): readonly WantedKey[] {
  const wanted = new Map<string, WantedKey>();
  for (const pdu of pdus) {
    const validAtTs = timeOf(pdu);
    for (const serverName of possibleSigners(pdu))
      for (const keyId of signingKeyIds(pdu, serverName).slice(0, keysPerSignerMax)) {
        const place = `${serverName} ${keyId}`;
        const known = wanted.get(place)?.validAtTs;
        if (known === undefined || known < validAtTs) wanted.set(place, { serverName, keyId, validAtTs });
      }
  }
  return [...wanted.values()];
}

/** Of one server in one event. */
const keysPerSignerMax = 5;

export function timeOf(pdu: JsonObject): number {
  return numericValue(pdu['origin_server_ts']) ?? 0;
}

/** More than `requiredSigners`, which asks what the room version has. */
function possibleSigners(pdu: JsonObject): ReadonlySet<ServerName> {
  const { content } = pdu;
  const authorisedBy = isJsonObject(content) ? content['join_authorised_via_users_server'] : undefined;
  const servers = [pdu['sender'], pdu['event_id'], authorisedBy].map(serverIn).filter(isServerName);
  return new Set(servers);
}

function serverIn(id: JsonValue | undefined): string | undefined {
  if (typeof id !== 'string') return undefined;
  const colon = id.indexOf(':');
  return colon === -1 ? undefined : id.slice(colon + 1);
}
