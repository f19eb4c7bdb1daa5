/** What one server is told of the moment: who types, what was read, who is there. Only the latest of each counts, and a restart forgets it. */
import type { EventId, RoomId, UserId } from '../../matrix/ids/ids.ts';
import { canonicalJson } from '../../matrix/json/canonical-json.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';

export interface OutgoingReceipt {
  readonly roomId: RoomId;
  readonly userId: UserId;
  /** undefined: unthreaded. */
  readonly threadId: string | undefined;
  readonly eventId: EventId;
  readonly ts: number;
}
export interface OutgoingTyping {
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly isTyping: boolean;
}

/** Of one EDU. */
const presencesPerEdu = 50;
const receiptsPerEdu = 200;
/** Of each kind; of more, the oldest go. */
const waitingMax = 2_000;

export class EphemeralQueue {
  /** By room and user, and for receipts also by thread. */
  readonly #typing = new Map<string, OutgoingTyping>();
  readonly #receipts = new Map<string, OutgoingReceipt>();
  /** How somebody is, told when it is sent. */
  readonly #presences = new Map<UserId, () => JsonObject>();

  get isEmpty(): boolean {
    return this.#typing.size + this.#receipts.size + this.#presences.size === 0;
  }

  addTyping(typing: OutgoingTyping): void {
    put(this.#typing, `${typing.roomId} ${typing.userId}`, typing);
  }
  addReceipt(receipt: OutgoingReceipt): void {
    put(this.#receipts, `${receipt.roomId} ${receipt.userId} ${receipt.threadId ?? ''}`, receipt);
  }
  addPresence(userId: UserId, push: () => JsonObject): void {
    put(this.#presences, userId, push);
  }

  clear(): void {
    this.#typing.clear();
    this.#receipts.clear();
    this.#presences.clear();
  }

  /** Canonical JSON of at most so many EDUs; what they have no room for waits on. */
  take(max: number): string[] {
    const edus: string[] = [];
    const add = (type: string, content: JsonObject): void => {
      edus.push(canonicalJson({ content, edu_type: type }));
    };
    while (this.#presences.size > 0 && edus.length < max) {
      const push = takeFirst(this.#presences, presencesPerEdu).map((make) => make());
      add('m.presence', { push });
    }
    while (this.#receipts.size > 0 && edus.length < max) add('m.receipt', this.#receiptContent());
    while (this.#typing.size > 0 && edus.length < max)
      for (const { roomId, userId, isTyping } of takeFirst(this.#typing, 1))
        add('m.typing', { room_id: roomId, user_id: userId, typing: isTyping });
    return edus;
  }

  /** An EDU has one receipt of a user in a room; those of further threads wait for the next one. */
  #receiptContent(): JsonObject {
    const rooms: Record<RoomId, { 'm.read': Record<UserId, JsonObject> }> = {};
    let count = 0;
    for (const [key, { roomId, userId, threadId, eventId, ts }] of this.#receipts) {
      const users = (rooms[roomId] ??= { 'm.read': {} })['m.read'];
      if (users[userId] !== undefined) continue;
      const data = threadId === undefined ? { ts } : { thread_id: threadId, ts };
      users[userId] = { data, event_ids: [eventId] };
      this.#receipts.delete(key);
      if (++count === receiptsPerEdu) break;
    }
    return rooms;
  }
}

function put<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > waitingMax) takeFirst(map, 1);
}

function takeFirst<V>(map: Map<string, V>, count: number): V[] {
  const taken: V[] = [];
  for (const [key, value] of map) {
    if (taken.length === count) break;
    map.delete(key);
    taken.push(value);
  }
  return taken;
}
