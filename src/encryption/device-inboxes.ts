/**
 * Messages that wait for devices. What is known of an inbox is kept in memory, because most are empty and whoever syncs must
 * not pay for that. https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging
 */
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import type { Commit, Database, UnitBuilder } from '../storage/database.ts';
import {
  deleteToDeviceMessagesUpTo,
  inboxesOfDevices,
  insertToDeviceMessage,
  toDeviceMessages,
  trimToDeviceMessages,
} from '../storage/stores/to-device-store.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** A message came for a device. */
    'to-device': { readonly userNid: number; readonly deviceNid: number; readonly pos: number };
  }
}

export interface ToDevicePage {
  /** JSON texts of the events, in the order of arrival. */
  readonly events: readonly string[];
  /** All messages up to here have been told: what the device acknowledges when it has them. */
  readonly pos: number;
  /** There are more up to where was asked. */
  readonly hasMore: boolean;
}

export class DeviceInboxes {
  readonly #db: Database;
  readonly #known = new Lru<number, Inbox>({ sizeMax: limits.knownInboxesMax });
  /** Messages that came while inboxes are being looked at, one list for each look. */
  readonly #arrivals = new Set<Arrival[]>();
  readonly #unfollow: () => void;

  constructor(db: Database) {
    this.#db = db;
    this.#unfollow = db.onCommitted((commit) => this.#onCommit(commit));
  }

  close(): void {
    this.#unfollow();
  }

  /** Messages that came after `after` and up to `upTo`, at most `limit`. An empty inbox costs no read. */
  async read(
    deviceNid: number,
    range: { readonly after: number; readonly upTo: number; readonly limit: number },
  ): Promise<ToDevicePage> {
    const { after, upTo, limit } = range;
    const [inbox] = await this.#inboxes([deviceNid]);
    if (inbox === undefined || inbox.newestPos < Math.max(after + 1, inbox.oldestPos))
      return { events: [], pos: upTo, hasMore: false };
    const rows = await this.#db.all(toDeviceMessages, { device: deviceNid, after, upTo, limit: limit + 1 });
    const hasMore = rows.length > limit;
    const told = hasMore ? rows.slice(0, limit) : rows;
    return { events: told.map(({ json }) => json), pos: hasMore ? (told.at(-1)?.pos ?? after) : upTo, hasMore };
  }

  /** The device has all messages up to a position: they are not told again. Resolves when that is on disk. */
  async acknowledge(deviceNid: number, pos: number): Promise<void> {
    const [inbox] = await this.#inboxes([deviceNid]);
    if (inbox === undefined || inbox.oldestPos > Math.min(pos, inbox.newestPos)) return;
    const written = this.#db.write((unit) => unit.run(deleteToDeviceMessagesUpTo, { device: deviceNid, pos }));
    const deleted = (await written.committed).changes[0] ?? 0;
    inbox.messages = Math.max(0, inbox.messages - deleted);
    inbox.oldestPos = Math.max(inbox.oldestPos, pos + 1);
  }

  /** To be awaited before `write`: looks at inboxes of which nothing is known. */
  async prepare(deviceNids: readonly number[]): Promise<void> {
    await this.#inboxes(deviceNids);
  }

  /**
   * Part of a unit: the same message for each of the devices. Those that are not there any more get none; of an inbox that is
   * full, the oldest messages go.
   */
  write(unit: UnitBuilder, pos: number, devices: readonly AddressedDevice[], json: string): void {
    unit.run(insertToDeviceMessage, { devices: devices.map(({ deviceNid }) => deviceNid), pos, json });
    for (const { userNid, deviceNid } of devices) {
      const inbox = this.#known.find(deviceNid);
      if (inbox !== undefined && inbox.messages >= limits.toDeviceMessagesKeptMax) {
        unit.run(trimToDeviceMessages, { device: deviceNid, kept: keptOfFull });
        inbox.messages = keptOfFull;
      }
      unit.wake({ kind: 'to-device', userNid, deviceNid, pos });
    }
  }

  #onCommit({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind !== 'to-device') continue;
      for (const list of this.#arrivals) list.push(wake);
      const inbox = this.#known.find(wake.deviceNid);
      if (inbox !== undefined) arrived(inbox, wake.pos);
    }
  }

  /** In the order of `deviceNids`. */
  async #inboxes(deviceNids: readonly number[]): Promise<readonly Inbox[]> {
    const unknown = deviceNids.filter((deviceNid) => !this.#known.has(deviceNid));
    const found = unknown.length === 0 ? undefined : await this.#look(unknown);
    return deviceNids.map((deviceNid) => found?.get(deviceNid) ?? this.#known.find(deviceNid) ?? newInbox());
  }

  async #look(deviceNids: readonly number[]): Promise<ReadonlyMap<number, Inbox>> {
    const arrivals: Arrival[] = [];
    this.#arrivals.add(arrivals);
    try {
      const rows = await this.#db.all(inboxesOfDevices, { devices: deviceNids });
      const rowOf = new Map(rows.map((row) => [row.device_nid, row]));
      const inboxes = new Map<number, Inbox>();
      for (const deviceNid of deviceNids) {
        const row = rowOf.get(deviceNid);
        const inbox =
          row === undefined ? newInbox() : { messages: row.messages, oldestPos: row.oldest, newestPos: row.newest };
        inboxes.set(deviceNid, inbox);
      }
      for (const { deviceNid, pos } of arrivals) {
        const inbox = inboxes.get(deviceNid);
        if (inbox !== undefined) arrived(inbox, pos);
      }
      // Who looked at the same time may have been first; what is known follows the commits since then.
      for (const [deviceNid, inbox] of inboxes) {
        const known = this.#known.find(deviceNid);
        if (known === undefined) this.#known.set(deviceNid, inbox);
        else inboxes.set(deviceNid, known);
      }
      return inboxes;
    } finally {
      this.#arrivals.delete(arrivals);
    }
  }
}

export interface AddressedDevice {
  readonly userNid: number;
  readonly deviceNid: number;
}

interface Inbox {
  /** About how many there are, for the bound. */
  messages: number;
  /** No message is older. */
  oldestPos: number;
  /** No message is newer; 0: there never was one. */
  newestPos: number;
}
interface Arrival {
  readonly deviceNid: number;
  readonly pos: number;
}

/** Trimming makes room for many messages at once, because finding the oldest to keep means counting all. */
const keptOfFull = Math.floor(limits.toDeviceMessagesKeptMax * 0.9);

const newInbox = (): Inbox => ({ messages: 0, oldestPos: 1, newestPos: 0 });

/** A commit may be told of when its rows have been seen already. */
function arrived(inbox: Inbox, pos: number): void {
  if (pos <= inbox.newestPos) return;
  inbox.messages++;
  if (inbox.oldestPos > inbox.newestPos) inbox.oldestPos = pos;
  inbox.newestPos = pos;
}
