/** PDUs are verified in this thread, with keys of the key ring. */
import { requiredSigners } from '../../matrix/crypto/event-signatures.ts';
import { receivePdu, type ReceivedPdu } from '../../matrix/crypto/receive-pdu.ts';
import { isServerName } from '../../matrix/ids/server-name.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import { numericValue } from '../../matrix/json/raw-number.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import type { PduVerifier, WantedKey } from '../contract.ts';
import type { ServerKeyRing } from '../keys/key-ring.ts';

export function verifierHere(keyRing: Pick<ServerKeyRing, 'load'>): PduVerifier {
  return {
    async verify(pdus: readonly JsonObject[], rules: RoomVersionRules): Promise<ReceivedPdu[]> {
      const keys = await keyRing.load(pdus.flatMap((pdu) => wantedKeys(pdu, rules)));
      return pdus.map((pdu) =>
        receivePdu(pdu, rules, (serverName, keyId) => keys.find(serverName, keyId, timeOf(pdu, rules))),
      );
    },
  };
}

function wantedKeys(pdu: JsonObject, rules: RoomVersionRules): WantedKey[] {
  const { signatures } = pdu;
  if (!isJsonObject(signatures)) return [];
  const validAtTs = timeOf(pdu, rules);
  return requiredSigners(pdu, rules).flatMap((serverName) => {
    const own = Object.hasOwn(signatures, serverName) ? signatures[serverName] : undefined;
    if (!isServerName(serverName) || !isJsonObject(own)) return [];
    return Object.keys(own).map((keyId) => ({ serverName, keyId, validAtTs }));
  });
}

function timeOf(pdu: JsonObject, rules: RoomVersionRules): number | undefined {
  return rules.enforceKeyValidity ? (numericValue(pdu['origin_server_ts']) ?? 0) : undefined;
}
