/**
 * What another server sends: up to 50 events of any rooms and up to 100 EDUs.
 * https://spec.matrix.org/v1.19/server-server-api/#transactions
 */
import { MatrixError } from '../../matrix/errors.ts';
import type { EventId, ServerName } from '../../matrix/ids/ids.ts';
import { KeyedLock } from '../../platform/keyed-lock.ts';
import { limits } from '../../platform/limits.ts';
import { Semaphore, SemaphoreFull } from '../../platform/semaphore.ts';
import type { OpenedTransaction, TransactionOpener, UnverifiedBody } from '../contract.ts';
import { type EduHandlers, eduOf } from './edus/edu-handlers.ts';
import { type PduResult, receiveRoomPdus, type RoomReceiving } from './receive-room.ts';
import type { ReceivedTransactions } from './received-transactions.ts';

export interface IncomingTransaction {
  readonly txnId: string;
  readonly body: UnverifiedBody;
}

export class TransactionReceiver {
  readonly #receiving: RoomReceiving;
  readonly #opener: TransactionOpener;
  readonly #edus: EduHandlers;
  readonly #answered: ReceivedTransactions;
  /** Transactions of one server, one after another. */
  readonly #origins = new KeyedLock<ServerName>();
  readonly #turns = new Semaphore(limits.transactionsAtOnceMax, limits.transactionsWaitingMax);

  constructor(receiving: RoomReceiving, opener: TransactionOpener, edus: EduHandlers, answered: ReceivedTransactions) {
    this.#receiving = receiving;
    this.#opener = opener;
    this.#edus = edus;
    this.#answered = answered;
  }

  /**
   * The answer as JSON text. Everything that was taken is on disk. Throws MatrixError: as TransactionOpener does, 503 M_UNAVAILABLE when too
   * many servers send at once; and UnitFailed: then the transaction is to be sent again.
   */
  async receive({ txnId, body }: IncomingTransaction): Promise<string> {
    const transaction = await this.#opener.open(body);
    const { origin } = transaction;
    try {
      return await this.#origins.run(origin, async () => {
        const known = await this.#answered.find(origin, txnId);
        this.#receiving.ctx.counters.transactions.add({ outcome: known === undefined ? 'new' : 'repeated' });
        if (known !== undefined) return known;
        const answer = await this.#inTurn(() => this.#work(transaction));
        await this.#answered.keep(origin, txnId, answer);
        return answer;
      });
    } finally {
      transaction.close();
    }
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

  async #work({ origin, rooms, edus }: OpenedTransaction): Promise<string> {
    const settled = await Promise.allSettled(
      Array.from(rooms, async ([roomId, pdus]) => receiveRoomPdus(this.#receiving, origin, roomId, pdus)),
    );
    const results = new Map<EventId, string | undefined>();
    for (const one of settled) {
      if (one.status === 'rejected') throw one.reason;
      for (const [eventId, problem] of one.value) results.set(eventId, problem);
    }
    await this.#edus.handle(origin, edus.flatMap(eduOf));
    return answerOf(results);
  }
}

/** Most results say nothing, so the text is put together at once. */
function answerOf(results: Iterable<PduResult>): string {
  const pdus: string[] = [];
  for (const [id, problem] of results)
    pdus.push(`${JSON.stringify(id)}:${problem === undefined ? '{}' : JSON.stringify({ error: problem })}`);
  return `{"pdus":{${pdus.join(',')}}}`;
}
