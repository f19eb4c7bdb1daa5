/** One user who is, or was a moment ago, connected: the state of their devices, and what comes of it. No timers, no clock. */
import { limits } from '../platform/limits.ts';
import type { Activity, PresenceState, SeenUser, VisiblePresence } from './presence-state.ts';

interface Device {
  wish: PresenceState;
  /** The `set_presence` of its last /sync. */
  syncWish: PresenceState | undefined;
  /** Requests of /sync that are under way. */
  syncing: number;
  /** When it was last heard of. */
  contactMs: number;
}

export class PresentUser implements SeenUser {
  readonly userNid: number;
  readonly activity: Activity;
  statusMessage: string | undefined;
  readonly #devices = new Map<number, Device>();

  constructor(userNid: number, activity: Activity, statusMessage: string | undefined) {
    this.userNid = userNid;
    this.activity = activity;
    this.statusMessage = statusMessage;
  }

  /**
   * A device begins a /sync that marks it. Its first one, and one that wishes something else than the one before, is
   * activity; the same again is not, so that a device nobody touches becomes idle. What the user said outside /sync stays,
   * except that a device that syncs is not offline.
   */
  syncBegan(deviceNid: number, wish: 'online' | 'unavailable', nowMs: number): void {
    const device = this.#device(deviceNid, nowMs);
    const isChange = device.syncWish !== wish || device.wish === 'offline';
    device.syncWish = wish;
    device.syncing++;
    if (wish === 'unavailable') device.wish = 'unavailable';
    else if (isChange) this.#becomeActive(device, nowMs);
  }

  syncEnded(deviceNid: number, nowMs: number): void {
    const device = this.#devices.get(deviceNid);
    if (device === undefined) return;
    device.syncing--;
    device.contactMs = nowMs;
  }

  /** The user says so themselves, which is activity. */
  set(deviceNid: number, state: PresenceState, statusMessage: string | undefined, nowMs: number): void {
    const device = this.#device(deviceNid, nowMs);
    device.wish = state;
    device.contactMs = nowMs;
    this.statusMessage = statusMessage;
    this.activity.lastActiveMs = nowMs;
  }

  /** The user did something, on a device if it is known which. Whoever hides goes on hiding. */
  acted(deviceNid: number | undefined, nowMs: number): void {
    for (const [nid, device] of this.#devices)
      if (device.wish !== 'offline' && (deviceNid === undefined || nid === deviceNid))
        this.#becomeActive(device, nowMs);
  }

  /** Nothing of them is connected any more, whatever they asked for. */
  disconnect(): void {
    this.#devices.clear();
  }

  /** Devices that have not been heard of for too long are gone. To be called before `visible`. */
  expire(nowMs: number): void {
    for (const [nid, device] of this.#devices)
      if (device.syncing === 0 && device.contactMs + limits.presenceOfflineMs <= nowMs) this.#devices.delete(nid);
  }

  get isConnected(): boolean {
    return this.#devices.size > 0;
  }

  /** The best of the devices. */
  visible(nowMs: number): VisiblePresence {
    let state: PresenceState = 'offline';
    const isIdle = this.activity.lastActiveMs + limits.presenceIdleMs <= nowMs;
    for (const { wish } of this.#devices.values()) {
      if (wish === 'offline') continue;
      if (wish === 'online' && !isIdle) return { state: 'online', statusMessage: this.statusMessage };
      state = 'unavailable';
    }
    return { state, statusMessage: this.statusMessage };
  }

  /** When the presence may next change by itself. What happens before then only puts that off, or is `presenceOfflineMs` away. */
  nextCheckMs(nowMs: number): number {
    let next = nowMs + limits.presenceOfflineMs;
    const idleMs = this.activity.lastActiveMs + limits.presenceIdleMs;
    if (idleMs > nowMs) next = Math.min(next, idleMs);
    for (const { syncing, contactMs } of this.#devices.values())
      if (syncing === 0) next = Math.min(next, contactMs + limits.presenceOfflineMs);
    return next;
  }

  #device(deviceNid: number, nowMs: number): Device {
    let device = this.#devices.get(deviceNid);
    if (device === undefined) {
      device = { wish: 'offline', syncWish: undefined, syncing: 0, contactMs: nowMs };
      this.#devices.set(deviceNid, device);
    }
    return device;
  }

  #becomeActive(device: Device, nowMs: number): void {
    device.wish = 'online';
    this.activity.lastActiveMs = nowMs;
  }
}
