/**
 * Whether a client has sent a transaction before. https://spec.matrix.org/v1.19/client-server-api/#transaction-identifiers
 *
 * Nearly every transaction is new, so the common answer must not cost a read: of devices that send, a fingerprint of each
 * of their stored transactions is held in memory, and only a known fingerprint is looked up.
 */
import type { EventId } from '../matrix/ids/ids.ts';
import { Lru } from '../platform/lru.ts';
import type { Database } from '../storage/database.ts';
import { findTransaction, transactionsOfDevice } from '../storage/stores/txn-store.ts';
import type { ClientTransaction } from './context.ts';
import type { Placed } from './dag/contract.ts';

/** What was sent in a transaction; `eventId` undefined: not an event. */
export interface EarlierTransaction {
  readonly eventId: EventId | undefined;
}

const fingerprintsMax = 1_000_000;
/** A device that sent more within a day is asked for in the database each time. */
const fingerprintsPerDeviceMax = 5_000;

export class ClientTransactions {
  readonly #db: Database;
  /** Handed in and not on disk yet, bounded by what is in flight. */
  readonly #pending = new Map<string, { readonly eventId: EventId; readonly committed: Promise<unknown> }>();
  readonly #devices = new Lru<number, DeviceTransactions>({
    sizeMax: fingerprintsMax,
    sizeOf: (device) => device.room,
  });

  constructor(db: Database) {
    this.#db = db;
  }

  /** Reads what `find` needs to know of the device; undefined: it is known. */
  prepare({ deviceNid }: ClientTransaction): Promise<unknown> | undefined {
    return this.#devices.has(deviceNid) ? undefined : this.#load(deviceNid);
  }

  /** Resolves when the earlier event is on disk; rejects when it could not be stored. undefined: a new transaction. */
  async find(transaction: ClientTransaction): Promise<EarlierTransaction | undefined> {
    const entry = this.#pending.get(keyOf(transaction));
    if (entry !== undefined) {
      await entry.committed;
      return { eventId: entry.eventId };
    }
    const device = this.#devices.find(transaction.deviceNid) ?? (await this.#load(transaction.deviceNid));
    if (!device.mayKnow(transaction)) return undefined;
    const { deviceNid, path, txnId } = transaction;
    const row = await this.#db.one(findTransaction, { device: deviceNid, path, txn: txnId });
    return row && { eventId: (row.event_id ?? undefined) as EventId | undefined };
  }

  add(transaction: ClientTransaction, eventId: EventId, placed: Placed): void {
    if (placed.ticket === undefined) return;
    const key = keyOf(transaction);
    const { committed } = placed.ticket;
    this.#pending.set(key, { eventId, committed });
    const device = this.#devices.find(transaction.deviceNid);
    // A device that has outgrown its place is measured anew.
    if (device?.add(transaction) === false) this.#devices.set(transaction.deviceNid, device.grown());
    const forget = (): void => void this.#pending.delete(key);
    // The sender waits for the same promise and hears of a failure; here it only ends the entry.
    committed.then(forget, forget);
  }

  async #load(deviceNid: number): Promise<DeviceTransactions> {
    const rows = await this.#db.all(transactionsOfDevice, { device: deviceNid, limit: fingerprintsPerDeviceMax });
    const device = new DeviceTransactions(rows.length >= fingerprintsPerDeviceMax ? undefined : new Set());
    for (const { path, txn } of rows) device.add({ deviceNid, path, txnId: txn });
    const current = this.#devices.find(deviceNid);
    if (current !== undefined) return current;
    this.#devices.set(deviceNid, device.grown());
    return this.#devices.find(deviceNid) ?? device;
  }
}

class DeviceTransactions {
  /** undefined: too many to hold, so any may be known. */
  readonly #fingerprints: Set<number> | undefined;
  /** How many fingerprints it is counted with. */
  readonly room: number;

  constructor(fingerprints: Set<number> | undefined, room = 64) {
    this.#fingerprints = fingerprints;
    this.room = room;
  }

  mayKnow(transaction: ClientTransaction): boolean {
    return this.#fingerprints === undefined || this.#fingerprints.has(fingerprint(transaction));
  }

  /** false: there is no room left. */
  add(transaction: ClientTransaction): boolean {
    this.#fingerprints?.add(fingerprint(transaction));
    return this.#fingerprints === undefined || this.#fingerprints.size <= this.room;
  }

  /** The same with room for twice as many. */
  grown(): DeviceTransactions {
    const size = this.#fingerprints?.size ?? 0;
    if (size > fingerprintsPerDeviceMax) return new DeviceTransactions(undefined);
    return new DeviceTransactions(this.#fingerprints, Math.max(64, 2 * size));
  }
}

const keyOf = (transaction: ClientTransaction): string =>
  `${transaction.deviceNid} ${transaction.path} ${transaction.txnId}`;

/** 52 bits of the path and the id: two different transactions of a device hardly ever share them, and then one read is spent. */
function fingerprint({ path, txnId }: ClientTransaction): number {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  const text = `${path} ${txnId}`;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
  }
  return (high >>> 12) * 2 ** 32 + (low >>> 0);
}
