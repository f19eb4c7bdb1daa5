/**
 * What another server sends: up to 50 events of any rooms and up to 100 EDUs.
 * https://spec.matrix.org/v1.19/server-server-api/#transactions
 */
import { badJson, MatrixError } from '../../matrix/errors.ts';
import { roomIdOfCreateEvent } from '../../matrix/ids/room-id.ts';
import { eventId as eventIdOf } from '../../matrix/crypto/reference-hash.ts';
import type { EventId, RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { findRoomVersion } from '../../matrix/room-versions/table.ts';
import { KeyedLock } from '../../platform/keyed-lock.ts';
import { limits } from '../../platform/limits.ts';
import { Semaphore, SemaphoreFull } from '../../platform/semaphore.ts';
import { type Edu, type EduHandlers, eduOf } from './edus/edu-handlers.ts';
import { type PduResult, receiveRoomPdus, type RoomReceiving } from './receive-room.ts';
import type { ReceivedTransactions } from './received-transactions.ts';

/** A transaction whose signature is good. */
export interface Transaction {
  readonly origin: ServerName;
  readonly txnId: string;
  /** Parsed with `numbers: 'exact'`. */
  readonly content: JsonObject;
}

export class TransactionReceiver {
  readonly #receiving: RoomReceiving;
  readonly #edus: EduHandlers;
  readonly #answered: ReceivedTransactions;
  /** Transactions of one server, one after another. */
  readonly #origins = new KeyedLock<ServerName>();
  readonly #turns = new Semaphore(limits.transactionsAtOnceMax, limits.transactionsWaitingMax);

  constructor(receiving: RoomReceiving, edus: EduHandlers, answered: ReceivedTransactions) {
    this.#receiving = receiving;
    this.#edus = edus;
    this.#answered = answered;
  }

  /**
   * The answer as JSON text. Everything that was taken is on disk. Throws MatrixError 400 M_BAD_JSON for what is no transaction,
   * 503 M_UNAVAILABLE when too many servers send at once, and UnitFailed: then the transaction is to be sent again.
   */
  async receive({ origin, txnId, content }: Transaction): Promise<string> {
    const pdus = objectsOf(content, 'pdus', limits.transactionPdusMax);
    const edus = objectsOf(content, 'edus', limits.transactionEdusMax);
    return this.#origins.run(origin, async () => {
      const known = await this.#answered.find(origin, txnId);
      this.#receiving.ctx.counters.transactions.add({ outcome: known === undefined ? 'new' : 'repeated' });
      if (known !== undefined) return known;
      const answer = await this.#inTurn(() => this.#work(origin, pdus, edus.flatMap(eduOf)));
      await this.#answered.keep(origin, txnId, answer);
      return answer;
    });
  }

  async #inTurn<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await this.#turns.run(task);
    } catch (error) {
      if (error instanceof SemaphoreFull)
        throw new MatrixError(503, 'M_UNAVAILABLE', 'Too many servers are sending at once');
      throw error;
    }
  }

  async #work(origin: ServerName, pdus: readonly JsonObject[], edus: readonly Edu[]): Promise<string> {
    const rooms = Map.groupBy(pdus, roomIdOf);
    const settled = await Promise.allSettled(
      Array.from(rooms, async ([roomId, some]) =>
        roomId === undefined ? [] : receiveRoomPdus(this.#receiving, origin, roomId, some),
      ),
    );
    const results = new Map<EventId, string | undefined>();
    for (const one of settled) {
      if (one.status === 'rejected') throw one.reason;
      for (const [eventId, problem] of one.value) results.set(eventId, problem);
    }
    await this.#edus.handle(origin, edus);
    return answerOf(results);
  }
}

function answerOf(results: Iterable<PduResult>): string {
  const pdus = Array.from(results, ([id, problem]) => [id, problem === undefined ? {} : { error: problem }] as const);
  return JSON.stringify({ pdus: Object.fromEntries(pdus) });
}

function objectsOf(content: JsonObject, name: string, countMax: number): JsonObject[] {
  const values: JsonValue = content[name] ?? [];
  if (!Array.isArray(values)) throw badJson(`${name} must be an array`);
  if (values.length > countMax) throw badJson(`${name} must have at most ${countMax} entries`);
  return values.filter(isJsonObject);
}

/** undefined: it says nothing of a room, so it is no event of one. */
function roomIdOf(pdu: JsonObject): RoomId | undefined {
  const { room_id: roomId } = pdu;
  if (typeof roomId === 'string') return roomId as RoomId;
  return roomId === undefined ? roomIdOfCreate(pdu) : undefined;
}

/** Since version 12 a create event makes its room's id. */
function roomIdOfCreate(pdu: JsonObject): RoomId | undefined {
  const { type, content } = pdu;
  if (type !== 'm.room.create' || !isJsonObject(content) || typeof content['room_version'] !== 'string')
    return undefined;
  const rules = findRoomVersion(content['room_version']);
  if (rules === undefined || !rules.eventFormat.createWithoutRoomId) return undefined;
  try {
    return roomIdOfCreateEvent(eventIdOf(pdu, rules));
  } catch {
    // It has no canonical form, so it has no id.
    return undefined;
  }
}
