/**
 * Which membership events a device has been sent, for filters that load members lazily. Only an economy: what is
 * forgotten here is sent once more. https://spec.matrix.org/v1.19/client-server-api/#lazy-loading-room-members
 */
import { Lru } from '../platform/lru.ts';

const devicesMax = 20_000;
const membersPerDeviceMax = 5_000;

export class LazyMembers {
  readonly #sent = new Lru<number, Set<string>>({ sizeMax: devicesMax });

  /** Of the users, those whose membership in the room the device has not been sent yet. They count as sent from now on. */
  unsent(deviceNid: number, room: number, userIds: Iterable<string>): string[] {
    const sent = this.#sent.find(deviceNid) ?? new Set<string>();
    const fresh: string[] = [];
    for (const userId of userIds) {
      const key = `${room} ${userId}`;
      if (sent.has(key)) continue;
      fresh.push(userId);
      if (sent.size < membersPerDeviceMax) sent.add(key);
    }
    this.#sent.set(deviceNid, sent);
    return fresh;
  }

  /** The device starts anew. */
  forget(deviceNid: number): void {
    this.#sent.delete(deviceNid);
  }
}
