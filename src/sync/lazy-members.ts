/**
 * Which memberships a device has been sent, so that lazy loading does not send them again. In memory: after a restart some are
 * sent twice, which is allowed. https://spec.matrix.org/v1.19/client-server-api/#lazy-loading-room-members
 */
import { Lru } from '../platform/lru.ts';

const devicesMax = 20_000;
const membersPerDeviceMax = 5_000;

/** Members are kept as room and user. */
interface Device {
  /** Of answers that arrived. */
  readonly received: Set<string>;
  /** Of the last answer, which ended at a position. */
  readonly sent: Set<string>;
  sentPos: number;
}

export class LazyMembers {
  readonly #devices = new Lru<number, Device>({ sizeMax: devicesMax });

  /**
   * An answer to a request with this token is begun. Only the token of an answer proves that it arrived: a later one may be
   * that of another answer to the same request. -1: the device starts anew.
   */
  begin(deviceNid: number, since: number): void {
    if (since < 0) this.#devices.delete(deviceNid);
    const device = this.#devices.find(deviceNid);
    if (device === undefined) return;
    if (device.sentPos === since)
      for (const member of device.sent) if (device.received.size < membersPerDeviceMax) device.received.add(member);
    device.sent.clear();
    device.sentPos = -1;
  }

  /**
   * Of the users, those whose membership in the room is in no answer that the device has got; `everything`: all of them. They
   * are sent with the answer that was begun and ends at `now`.
   */
  unsent(
    deviceNid: number,
    room: number,
    userIds: Iterable<string>,
    { since, now, everything }: { readonly since: number; readonly now: number; readonly everything: boolean },
  ): string[] {
    const device = this.#devices.find(deviceNid) ?? { received: new Set(), sent: new Set(), sentPos: -1 };
    const fresh: string[] = [];
    for (const userId of userIds) {
      const member = `${room} ${userId}`;
      const isReceived = device.received.has(member);
      if (isReceived && !everything) continue;
      fresh.push(userId);
      if (!isReceived) device.sent.add(member);
    }
    // Where both tokens are the same, the next one proves nothing.
    device.sentPos = now > since ? now : -1;
    this.#devices.set(deviceNid, device);
    return fresh;
  }
}
