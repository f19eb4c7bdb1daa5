/** Who is online, worked out from what they and their devices did. https://spec.matrix.org/v1.19/client-server-api/#presence */
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import { limits } from '../../../src/platform/limits.ts';
import type { PresenceState } from '../../../src/presence/presence-state.ts';

interface Device {
  says: PresenceState;
  /** What its last request of /sync said. */
  synced: PresenceState | undefined;
  heardMs: number;
}
interface Person {
  readonly devices: Map<number, Device>;
  activeMs: number;
  status: string | undefined;
}
export interface Seen {
  readonly state: string;
  readonly status: string | undefined;
}

export class ModelPresence {
  readonly #nowMs: () => number;
  readonly #people = new Map<UserId, Person>();
  /** As others were told last. */
  readonly #told = new Map<UserId, Seen & { readonly pos: number }>();
  /** Before this moment those who were there before the restart are still taken for being there. */
  #graceMs = 0;

  /** On the monotonic clock. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  synced(userId: UserId, deviceNid: number, wish: PresenceState): void {
    if (wish === 'offline') return;
    const person = this.#person(userId);
    const device = this.#device(person, deviceNid);
    const isChange = device.synced !== wish || device.says === 'offline';
    device.synced = wish;
    if (wish === 'unavailable') device.says = 'unavailable';
    else if (isChange) this.#activate(person, device);
  }

  set(userId: UserId, deviceNid: number, state: PresenceState, status: string | undefined): void {
    const person = this.#person(userId);
    this.#device(person, deviceNid).says = state;
    person.activeMs = this.#nowMs();
    person.status = status;
  }

  /** `deviceNid` undefined: on all devices. Who hides goes on hiding. */
  acted(userId: UserId, deviceNid: number | undefined): void {
    const person = this.#person(userId);
    for (const [nid, device] of person.devices)
      if (device.says !== 'offline' && (deviceNid === undefined || nid === deviceNid)) this.#activate(person, device);
  }

  restarted(): void {
    this.#people.clear();
    this.#graceMs = this.#nowMs() + limits.presenceOfflineMs + settledMs;
  }

  /** Time enough to tell everything has passed; `pos`: up to where it was told. */
  told(pos: number): void {
    const isOver = this.#nowMs() >= this.#graceMs;
    for (const userId of new Set([...this.#people.keys(), ...(isOver ? this.#told.keys() : [])])) {
      const seen = this.#seenAt(userId, this.#nowMs());
      const before = this.#told.get(userId);
      if (before?.state !== seen.state || before.status !== seen.status) this.#told.set(userId, { ...seen, pos });
    }
  }

  /** Whether others were told that somebody is there. */
  isToldThere(userId: UserId): boolean {
    return ['online', 'unavailable'].some((state) => state === this.#told.get(userId)?.state);
  }

  /** The position up to which what others see of a user was told last. */
  toldPos(userId: UserId): number {
    return this.#told.get(userId)?.pos ?? 0;
  }

  /** As others have to see them; undefined: it changes just now. */
  find(userId: UserId): Seen | undefined {
    const nowMs = this.#nowMs();
    const seen = this.#seenAt(userId, nowMs);
    if (nowMs < this.#graceMs && seen.state === 'offline') return undefined;
    return seen.state === this.#seenAt(userId, nowMs - settledMs).state ? seen : undefined;
  }

  #seenAt(userId: UserId, atMs: number): Seen {
    const { devices, activeMs, status } = this.#people.get(userId) ?? nobody;
    let state = 'offline';
    for (const { says, heardMs } of devices.values()) {
      if (says === 'offline' || heardMs + limits.presenceOfflineMs <= atMs) continue;
      if (says === 'online' && activeMs + limits.presenceIdleMs > atMs) return { state: 'online', status };
      state = 'unavailable';
    }
    return { state, status };
  }

  #person(userId: UserId): Person {
    const person = this.#people.get(userId) ?? { devices: new Map(), activeMs: this.#nowMs(), status: undefined };
    this.#people.set(userId, person);
    for (const [nid, { heardMs }] of person.devices)
      if (heardMs + limits.presenceOfflineMs <= this.#nowMs()) person.devices.delete(nid);
    return person;
  }

  #device({ devices }: Person, nid: number): Device {
    const device: Device = devices.get(nid) ?? { says: 'offline', synced: undefined, heardMs: 0 };
    devices.set(nid, device);
    device.heardMs = this.#nowMs();
    return device;
  }

  #activate(person: Person, device: Device): void {
    device.says = 'online';
    person.activeMs = this.#nowMs();
  }
}

/** So long after a change it has been told. */
export const settledMs = 2 * limits.presenceFlushMs;
const nobody: Person = { devices: new Map(), activeMs: 0, status: undefined };
