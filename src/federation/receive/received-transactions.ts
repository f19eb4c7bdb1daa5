/**
 * Transactions that were answered, so that one which is sent again because the answer was lost does nothing twice. Servers
 * send one after another, so of each only the last few are kept, in slots that are used again.
 * https://spec.matrix.org/v1.19/server-server-api/#transactions
 */
import type { ServerName } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import type { Clock, TimerHandle, Timers } from '../../platform/ports.ts';
import type { Database } from '../../storage/database.ts';
import type { Names } from '../../storage/names.ts';
import {
  dropReceivedTransactionsBefore,
  keepReceivedTransaction,
  receivedTransactionsOf,
} from '../../storage/stores/received-transaction-store.ts';

/** Servers whose last transactions are in memory. */
const serversKnownMax = 2_000;
const expiryIntervalMs = 3_600_000;

interface Kept {
  readonly txnId: string;
  readonly ts: number;
  readonly answer: string;
}
interface ServerTransactions {
  readonly serverNid: number;
  readonly slots: (Kept | undefined)[];
  next: number;
}

export class ReceivedTransactions {
  readonly #db: Database;
  readonly #names: Names;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #servers = new Lru<ServerName, ServerTransactions>({ sizeMax: serversKnownMax });
  #timer: TimerHandle | undefined;

  constructor({ db, names, clock }: { db: Database; names: Names; clock: Clock }, timers: Timers) {
    this.#db = db;
    this.#names = names;
    this.#clock = clock;
    this.#timers = timers;
    this.#expireLater();
  }

  /** The answer that the transaction was given; JSON text. */
  async find(origin: ServerName, txnId: string): Promise<string | undefined> {
    const { slots } = await this.#of(origin);
    const sinceTs = this.#clock.nowMs() - limits.receivedTransactionMs;
    return slots.find((kept) => kept?.txnId === txnId && kept.ts >= sinceTs)?.answer;
  }

  /**
   * Its effects are on disk already, and all of them may happen twice without harm: so nobody waits for this, and a
   * transaction that is sent again after a crash in between is worked on again.
   */
  async keep(origin: ServerName, txnId: string, answer: string): Promise<void> {
    const server = await this.#of(origin);
    const slot = server.next;
    const ts = this.#clock.nowMs();
    server.next = (slot + 1) % limits.receivedTransactionsPerServerMax;
    server.slots[slot] = { txnId, ts, answer };
    this.#db.write((unit) =>
      unit.run(keepReceivedTransaction, { server: server.serverNid, slot, txn: txnId, ts, answer }),
    );
  }

  close(): void {
    this.#timer?.cancel();
  }

  async #of(origin: ServerName): Promise<ServerTransactions> {
    const known = this.#servers.find(origin);
    if (known !== undefined) return known;
    const serverNid = await this.#names.serverNid(origin);
    const rows = await this.#db.all(receivedTransactionsOf, { server: serverNid });
    const server: ServerTransactions = { serverNid, slots: [], next: 0 };
    for (const { slot, txn, ts, answer } of rows) {
      server.slots[slot] = { txnId: txn, ts, answer };
      server.next = (slot + 1) % limits.receivedTransactionsPerServerMax;
    }
    this.#servers.set(origin, server);
    return server;
  }

  #expireLater(): void {
    this.#timer = this.#timers.after(expiryIntervalMs, () => {
      this.#expireLater();
      const ts = this.#clock.nowMs() - limits.receivedTransactionMs;
      // If it fails, the next hour tries again with the same rows and more.
      this.#db.write((unit) => unit.run(dropReceivedTransactionsBefore, { ts }));
    });
  }
}
