import { badJson, MatrixError } from '../../matrix/errors.ts';
import type { EventId, RoomId } from '../../matrix/ids/ids.ts';
import type { ReceivedPdu } from '../../matrix/crypto/receive-pdu.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import type {
  OpenedState,
  OpenedTransaction,
  PduVerifier,
  RoomPdus,
  StateOpener,
  TransactionOpener,
  UnverifiedBody,
  VerifiedPdu,
  WantedKey,
} from '../contract.ts';
import type { ServerKeyRing } from '../keys/key-ring.ts';
import type { VerifyKeys } from '../keys/verify-keys.ts';
import { type KeyEntry, KeyTable } from './key-table.ts';
import { fromOutcomeTexts, type OutcomeTexts, verifyHere } from './outcome-text.ts';
import type { StateText } from './read-state.ts';
import type { TransactionTexts } from './read-transaction.ts';
import type { TakenThread, VerifyThreads } from './verify-threads.ts';
import { wantedKeys } from './wanted-keys.ts';

export interface ThreadedVerifierParts {
  readonly threads: VerifyThreads;
  readonly keyRing: Pick<ServerKeyRing, 'load'>;
  readonly verifyKeys: VerifyKeys;
}

/** Verifies in threads: the main one parses what they found to be genuine, and no more. One or two events are not worth the way. */
export class ThreadedVerifier implements PduVerifier, TransactionOpener, StateOpener {
  readonly #parts: ThreadedVerifierParts;
  #opened = 0;

  constructor(parts: ThreadedVerifierParts) {
    this.#parts = parts;
  }

  async verify(pdus: readonly JsonObject[], rules: RoomVersionRules): Promise<readonly ReceivedPdu[]> {
    const keys = await this.#loadKeys(wantedKeys(pdus), rules);
    if (pdus.length <= inlineMax) {
      const table = new KeyTable(keys, this.#parts.verifyKeys);
      return verifyHere(pdus, rules, table).map(({ received }) => received);
    }
    const found: ReceivedPdu[] = [];
    for (let at = 0; at < pdus.length; at += batchMax) {
      const text = JSON.stringify(pdus.slice(at, at + batchMax));
      const thread = this.#parts.threads.take();
      const request = { kind: 'pdus', text, version: rules.version, keys } as const;
      const outcome = await thread.call(request).finally(() => thread.release());
      for (const { received } of fromOutcomeTexts(outcome as OutcomeTexts, rules)) found.push(received);
    }
    return found;
  }

  async open(body: UnverifiedBody): Promise<OpenedTransaction> {
    const { bytes, signature } = body;
    const thread = this.#parts.threads.take();
    const id = this.#opened++;
    try {
      // A copy of its own, because the bytes may be a part of a larger buffer.
      const own = new Uint8Array(bytes);
      const texts = (await thread.call({ kind: 'open', id, bytes: own, signature }, [own.buffer])) as TransactionTexts;
      if (!texts.ok) throw new MatrixError(texts.status, texts.errcode, texts.message);
      body.confirm();
      const rooms = texts.rooms.map(
        ([roomId, count]) => [roomId, this.#roomPdus(thread, { id, roomId, count, wanted: texts.wanted })] as const,
      );
      return {
        origin: signature.origin,
        rooms: new Map(rooms),
        edus: readEdus(texts),
        close: () => letGo(thread, id),
      };
    } catch (error) {
      thread.release();
      throw error;
    }
  }

  async openState(bytes: Buffer, rules: RoomVersionRules, known: readonly EventId[]): Promise<OpenedState> {
    const thread = this.#parts.threads.take();
    const id = this.#opened++;
    try {
      const own = ownBytes(bytes);
      const request = { kind: 'state', id, bytes: own, known, version: rules.version } as const;
      const text = (await thread.call(request, [own.buffer])) as StateText;
      if (!text.ok) throw badJson(text.message);
      return {
        count: text.count,
        verify: async (from, to) => {
          const wanted = (await thread.call({ kind: 'readPart', id, from, to })) as readonly WantedKey[];
          const keys = await this.#loadKeys(wanted, rules);
          return fromOutcomeTexts((await thread.call({ kind: 'verifyPart', id, keys })) as OutcomeTexts, rules);
        },
        close: () => letGo(thread, id),
      };
    } catch (error) {
      thread.release();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#parts.threads.close();
  }

  #roomPdus(
    thread: TakenThread,
    part: {
      readonly id: number;
      readonly roomId: RoomId;
      readonly count: number;
      readonly wanted: readonly WantedKey[];
    },
  ): RoomPdus {
    const { id, roomId, count } = part;
    return {
      count,
      eventIds: async (rules) => {
        const ids = await thread.call({ kind: 'ids', id, roomId, version: rules?.version });
        return (ids as readonly string[]).map((eventId) => (eventId === '' ? undefined : (eventId as EventId)));
      },
      verify: async (rules): Promise<readonly VerifiedPdu[]> => {
        const keys = await this.#loadKeys(part.wanted, rules);
        const outcome = await thread.call({ kind: 'room', id, roomId, version: rules.version, keys });
        return fromOutcomeTexts(outcome as OutcomeTexts, rules);
      },
    };
  }

  /** Where any time will do, nobody is asked because of the time. */
  async #loadKeys(wanted: readonly WantedKey[], { enforceKeyValidity }: RoomVersionRules): Promise<KeyEntry[]> {
    const asked = enforceKeyValidity ? wanted : wanted.map((key) => ({ ...key, validAtTs: undefined }));
    return (await this.#parts.keyRing.load(asked)).entries();
  }
}

const inlineMax = 2;
/** A thread that has a large state to verify takes other work in between. */
const batchMax = 100;

function letGo(thread: TakenThread, id: number): void {
  // A thread that has ended keeps nothing.
  thread.call({ kind: 'close', id }).catch(() => undefined);
  thread.release();
}

/** A part of a larger buffer is copied, because the whole would go with it. */
function ownBytes(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}

function readEdus({ edus, hasOddNumber }: Extract<TransactionTexts, { ok: true }>): readonly JsonObject[] {
  if (edus === '[]') return [];
  const values = hasOddNumber ? parseJson(edus, { numbers: 'exact', depthMax: edusDepthMax }) : parsePlain(edus);
  return Array.isArray(values) ? values.filter(isJsonObject) : [];
}
const parsePlain = (text: string): JsonValue => JSON.parse(text) as JsonValue;
const edusDepthMax = 1_000;
