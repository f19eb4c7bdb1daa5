/**
 * Client transactions whose events are handed in but not on disk yet: a retry that arrives in between must find them.
 * Bounded by what is in flight.
 */
import type { EventId } from '../matrix/ids/ids.ts';
import type { ClientTransaction } from './context.ts';
import type { Placed } from './dag/contract.ts';

export class PendingTransactions {
  readonly #pending = new Map<string, { readonly eventId: EventId; readonly committed: Promise<unknown> }>();

  add(transaction: ClientTransaction, eventId: EventId, placed: Placed): void {
    if (placed.ticket === undefined) return;
    const key = keyOf(transaction);
    const forget = (): void => void this.#pending.delete(key);
    const { committed } = placed.ticket;
    this.#pending.set(key, { eventId, committed });
    // The sender waits for the same promise and hears of a failure; here it only ends the entry.
    committed.then(forget, forget);
  }

  /** Resolves when the earlier event is on disk; rejects when it could not be stored. */
  async find(transaction: ClientTransaction): Promise<EventId | undefined> {
    const entry = this.#pending.get(keyOf(transaction));
    await entry?.committed;
    return entry?.eventId;
  }
}

const keyOf = (transaction: ClientTransaction): string =>
  `${transaction.deviceNid} ${transaction.path} ${transaction.txnId}`;
