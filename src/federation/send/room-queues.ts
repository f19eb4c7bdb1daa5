import type { OutgoingPdu } from './outgoing-pdu.ts';

interface RoomQueue {
  readonly room: number;
  readonly pdus: OutgoingPdu[];
  /** What comes before it was taken. */
  head: number;
}

/** Taken ones that a queue still holds. */
const compactAfter = 256;

/** Events that wait for one server: each room's in their order, and rooms take turns, so that a busy one holds up no other. */
export class RoomQueues {
  /** The one whose turn it is first. */
  readonly #rooms = new Map<number, RoomQueue>();
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }
  get bytes(): number {
    return this.#bytes;
  }

  add(pdu: OutgoingPdu): void {
    const queue = this.#rooms.get(pdu.room);
    if (queue === undefined) this.#rooms.set(pdu.room, { room: pdu.room, pdus: [pdu], head: 0 });
    else queue.pdus.push(pdu);
    this.#count += 1;
    this.#bytes += pdu.text.length;
  }

  /** One of each room, and again, until there are so many or so many bytes; at least one if there is any. */
  take(countMax: number, bytesMax: number): OutgoingPdu[] {
    const taken: OutgoingPdu[] = [];
    let bytes = 0;
    for (const queue of this.#rooms.values()) {
      const pdu = queue.pdus[queue.head];
      if (pdu === undefined || taken.length >= countMax) break;
      if (taken.length > 0 && bytes + pdu.text.length > bytesMax) break;
      taken.push(pdu);
      bytes += pdu.text.length;
      this.#advance(queue);
    }
    this.#count -= taken.length;
    this.#bytes -= bytes;
    return taken;
  }

  /** The position of the oldest one. */
  oldestPos(): number | undefined {
    let oldest: number | undefined;
    for (const { pdus, head } of this.#rooms.values()) {
      const pos = pdus[head]?.pos;
      if (pos !== undefined && (oldest === undefined || pos < oldest)) oldest = pos;
    }
    return oldest;
  }

  clear(): void {
    this.#rooms.clear();
    this.#count = this.#bytes = 0;
  }

  /** The room's next turn comes after those of all others: a Map is walked in the order of insertion, what is inserted meanwhile included. */
  #advance(queue: RoomQueue): void {
    this.#rooms.delete(queue.room);
    queue.head += 1;
    if (queue.head === queue.pdus.length) return;
    if (queue.head >= compactAfter) {
      queue.pdus.splice(0, queue.head);
      queue.head = 0;
    }
    this.#rooms.set(queue.room, queue);
  }
}
