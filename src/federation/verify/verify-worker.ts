/** What a verifying thread does. It keeps the events of a transaction until they are verified or given up. */
import { MatrixError } from '../../matrix/errors.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import { isJsonObject } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import { findRoomVersion } from '../../matrix/room-versions/table.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import type { RequestSignature, WantedKey } from '../contract.ts';
import { VerifyKeys } from '../keys/verify-keys.ts';
import { eventIdOf } from './event-ids.ts';
import { type KeyEntry, KeyTable } from './key-table.ts';
import { type OutcomeTexts, toOutcomeTexts, verifyHere } from './outcome-text.ts';
import { ReadState, type StateText } from './read-state.ts';
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
  /** The bytes of a state. `known`: ids of events that are not wanted. */
  | {
      readonly kind: 'state';
      readonly id: number;
      readonly bytes: Uint8Array;
      readonly known: readonly string[];
      readonly version: string;
    }
  | { readonly kind: 'readPart'; readonly id: number; readonly from: number; readonly to: number }
  | { readonly kind: 'verifyPart'; readonly id: number; readonly keys: readonly KeyEntry[] }
  /** `text`: a JSON array of events. */
  | { readonly kind: 'pdus'; readonly text: string; readonly version: string; readonly keys: readonly KeyEntry[] };
export type VerifyResponse =
  TransactionTexts | OutcomeTexts | StateText | readonly WantedKey[] | readonly string[] | undefined;

export function start({ keysMax }: VerifyWorkerData): (request: VerifyRequest) => VerifyResponse {
  const verifyKeys = new VerifyKeys(keysMax);
  const opened = new Map<number, ReadTransaction>();
  const states = new Map<number, ReadState>();
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
        states.delete(request.id);
        return undefined;
      case 'state':
        return openState(request, states);
      case 'readPart':
        return stateOf(states, request.id).read(request.from, request.to);
      case 'verifyPart':
        return stateOf(states, request.id).verify(request.keys, verifyKeys);
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

function openState(
  { id, bytes, known, version }: Extract<VerifyRequest, { kind: 'state' }>,
  states: Map<number, ReadState>,
): StateText {
  try {
    const state = new ReadState(bytes, known, rulesOf(version));
    states.set(id, state);
    return { ok: true, count: state.count };
  } catch (error) {
    if (error instanceof MatrixError) return { ok: false, message: error.message };
    throw error;
  }
}

function stateOf(states: ReadonlyMap<number, ReadState>, id: number): ReadState {
  const state = states.get(id);
  if (state === undefined) throw new Error(`there is no state ${id}`);
  return state;
}

function rulesOf(version: string): RoomVersionRules {
  const rules = findRoomVersion(version);
  if (rules === undefined) throw new Error(`there is no room version ${version}`);
  return rules;
}
