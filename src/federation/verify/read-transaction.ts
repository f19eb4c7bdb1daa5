/** https://spec.matrix.org/v1.19/server-server-api/#transactions */
import { badJson, MatrixError } from '../../matrix/errors.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { federationJsonDepthMax, parseJson } from '../../matrix/json/parse-json.ts';
import { limits } from '../../platform/limits.ts';
import type { RequestSignature, WantedKey } from '../contract.ts';
import { badSignature } from '../incoming/request-authenticator.ts';
import { isSigned } from '../incoming/is-signed.ts';
import type { VerifyKeys } from '../keys/verify-keys.ts';
import { roomIdOf } from './event-ids.ts';
import { holdsRawNumber } from './outcome-text.ts';
import { wantedKeys } from './wanted-keys.ts';

/** A transaction whose signature is good. */
export interface ReadTransaction {
  /** In the order in which they came; those that say nothing of a room are left out. */
  readonly rooms: ReadonlyMap<RoomId, readonly JsonObject[]>;
  readonly edus: readonly JsonObject[];
  /** The keys to check the events with. */
  readonly wanted: readonly WantedKey[];
}

/**
 * Parses a transaction and checks who signed it. Throws MatrixError: 400 M_NOT_JSON or M_BAD_JSON for what is no transaction, 401
 * M_UNAUTHORIZED.
 */
export function readTransaction(bytes: Uint8Array, signature: RequestSignature, keys: VerifyKeys): ReadTransaction {
  const content = parseJson(bytes, { depthMax: federationJsonDepthMax, numbers: 'exact' });
  if (!isSigned(signature, content, keys)) throw badSignature(signature.origin);
  if (!isJsonObject(content)) throw badJson('The body must be an object');
  const pdus = objectsOf(content, 'pdus', limits.transactionPdusMax);
  const rooms = new Map<RoomId, JsonObject[]>();
  for (const pdu of pdus) {
    const roomId = roomIdOf(pdu);
    const ofRoom = roomId === undefined ? [] : rooms.get(roomId);
    if (ofRoom !== undefined) ofRoom.push(pdu);
    else if (roomId !== undefined) rooms.set(roomId, [pdu]);
  }
  return { rooms, edus: objectsOf(content, 'edus', limits.transactionEdusMax), wanted: wantedKeys(pdus) };
}

function objectsOf(content: JsonObject, name: string, countMax: number): JsonObject[] {
  const values: JsonValue = content[name] ?? [];
  if (!Array.isArray(values)) throw badJson(`${name} must be an array`);
  if (values.length > countMax) throw badJson(`${name} must have at most ${countMax} entries`);
  return values.filter(isJsonObject);
}

/** What a thread says of a transaction that it keeps. */
export type TransactionTexts =
  | {
      readonly ok: true;
      readonly rooms: readonly (readonly [RoomId, number])[];
      /** JSON text of the list. */
      readonly edus: string;
      readonly hasOddNumber: boolean;
      readonly wanted: readonly WantedKey[];
    }
  | { readonly ok: false; readonly status: number; readonly errcode: string; readonly message: string };

export function toTransactionTexts({ rooms, edus, wanted }: ReadTransaction): TransactionTexts {
  return {
    ok: true,
    rooms: Array.from(rooms, ([roomId, pdus]) => [roomId, pdus.length] as const),
    edus: JSON.stringify(edus),
    hasOddNumber: holdsRawNumber(edus),
    wanted,
  };
}

export function toRefusal({ status, errcode, message }: MatrixError): TransactionTexts {
  return { ok: false, status, errcode, message };
}
