/**
 * Which memberships a device has been sent, so that lazy loading does not send them again. In memory: after a restart some are
 * sent twice, which is allowed. https://spec.matrix.org/v1.19/client-server-api/#lazy-loading-room-members
 */
import { Lru } from '../platform/lru.ts';

const devicesMax = 20_000;
const membersPerDeviceMax = 5_000;

export class LazyMembers {
  /** device → room and user → the position of the response that had it. */
  readonly #sent = new Lru<number, Map<string, number>>({ sizeMax: devicesMax });

  /**
   * Of the users, those whose membership in the room was in no response that the device has got: only a token proves that
   * a response arrived. They count as sent with the response that ends at `now`. `since` -1: all of them.
   */
  unsent(
    deviceNid: number,
    room: number,
    userIds: Iterable<string>,
    { since, now }: { readonly since: number; readonly now: number },
  ): string[] {
    const sent = this.#sent.find(deviceNid) ?? new Map<string, number>();
    const fresh: string[] = [];
    for (const userId of userIds) {
      const key = `${room} ${userId}`;
      const pos = sent.get(key);
      if (pos !== undefined && pos <= since) continue;
      fresh.push(userId);
      if (pos !== undefined || sent.size < membersPerDeviceMax) sent.set(key, now);
    }
    this.#sent.set(deviceNid, sent);
    return fresh;
  }

  /** The device starts anew. */
  forget(deviceNid: number): void {
    this.#sent.delete(deviceNid);
  }
}
