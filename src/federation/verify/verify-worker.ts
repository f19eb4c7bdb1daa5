/** What a verifying thread does. It keeps the events of a transaction until they are verified or given up. */
import { MatrixError } from '../../matrix/errors.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import { isJsonObject } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import { findRoomVersion } from '../../matrix/room-versions/table.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import type { RequestSignature } from '../contract.ts';
import { VerifyKeys } from '../keys/verify-keys.ts';
import { eventIdOf } from './event-ids.ts';
import { type KeyEntry, KeyTable } from './key-table.ts';
import { type OutcomeTexts, toOutcomeTexts, verifyHere } from './outcome-text.ts';
import {
  type ReadTransaction,
  readTransaction,
  toRefusal,
  toTransactionTexts,
  type TransactionTexts,
} from './read-transaction.ts';

export interface VerifyWorkerData {
  readonly keysMax: number;
}
export type VerifyRequest =
  | { readonly kind: 'open'; readonly id: number; readonly bytes: Uint8Array; readonly signature: RequestSignature }
  | {
      readonly kind: 'room';
      readonly id: number;
      readonly roomId: RoomId;
      readonly version: string;
      readonly keys: readonly KeyEntry[];
    }
  | { readonly kind: 'ids'; readonly id: number; readonly roomId: RoomId; readonly version: string | undefined }
  | { readonly kind: 'close'; readonly id: number }
  /** `text`: a JSON array of events. */
  | { readonly kind: 'pdus'; readonly text: string; readonly version: string; readonly keys: readonly KeyEntry[] };
export type VerifyResponse = TransactionTexts | OutcomeTexts | readonly string[] | undefined;

export function start({ keysMax }: VerifyWorkerData): (request: VerifyRequest) => VerifyResponse {
  const verifyKeys = new VerifyKeys(keysMax);
  const opened = new Map<number, ReadTransaction>();
  const pdusOf = (id: number, roomId: RoomId) => opened.get(id)?.rooms.get(roomId) ?? [];
  return (request) => {
    switch (request.kind) {
      case 'open':
        return open(request, verifyKeys, opened);
      case 'room': {
        const rules = rulesOf(request.version);
        const table = new KeyTable(request.keys, verifyKeys);
        return toOutcomeTexts(verifyHere(pdusOf(request.id, request.roomId), rules, table), rules);
      }
      case 'ids': {
        const rules = request.version === undefined ? undefined : rulesOf(request.version);
        return pdusOf(request.id, request.roomId).map((pdu) => eventIdOf(pdu, rules) ?? '');
      }
      case 'close':
        opened.delete(request.id);
        return undefined;
      case 'pdus': {
        const rules = rulesOf(request.version);
        const pdus = parseJson(request.text, { depthMax: depthMax, numbers: 'exact' });
        if (!Array.isArray(pdus)) throw new TypeError('events come as an array');
        const table = new KeyTable(request.keys, verifyKeys);
        return toOutcomeTexts(verifyHere(pdus.filter(isJsonObject), rules, table), rules);
      }
    }
  };
}

/** They were parsed before. */
const depthMax = 1_000;

function open(
  { id, bytes, signature }: Extract<VerifyRequest, { kind: 'open' }>,
  verifyKeys: VerifyKeys,
  opened: Map<number, ReadTransaction>,
): TransactionTexts {
  try {
    const transaction = readTransaction(bytes, signature, verifyKeys);
    opened.set(id, transaction);
    return toTransactionTexts(transaction);
  } catch (error) {
    if (error instanceof MatrixError) return toRefusal(error);
    throw error;
  }
}

function rulesOf(version: string): RoomVersionRules {
  const rules = findRoomVersion(version);
  if (rules === undefined) throw new Error(`there is no room version ${version}`);
  return rules;
}
