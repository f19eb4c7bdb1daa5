/** What a client holds of one joined room beside its state. */
import assert from 'node:assert/strict';
import type { EventId, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { JoinedRoom } from '../../support/test-rooms.ts';
import { type ModelClientOptions, wantsType } from './client-filter.ts';
import type { KnownState } from './known-state.ts';
import type { CountsByThread } from './room-counter.ts';

export interface KnownRoom {
  readonly state: KnownState;
  /** user, type and thread → event */
  readonly receipts: Map<string, EventId>;
  /** Receipts of those who were ignored until a moment ago: they may be told only when they change. */
  readonly missed: Map<string, EventId>;
  /** undefined: it may have changed without being told. */
  typing: ReadonlySet<string> | undefined;
  readonly accountData: Map<string, JsonObject>;
  /** undefined: they may have changed without being told. */
  counts: CountsByThread | undefined;
}

export const newRoom = (): KnownRoom => ({
  state: { events: new Map(), overtaken: new Set() },
  receipts: new Map(),
  missed: new Map(),
  typing: new Set(),
  accountData: new Map(),
  counts: undefined,
});

export function takeEphemeral(
  room: KnownRoom,
  told: JoinedRoom,
  { ephemeral }: ModelClientOptions,
  ignored: ReadonlySet<UserId>,
): void {
  for (const { type, content } of told.ephemeral.events) {
    assert.ok(wantsType(ephemeral, type), `${type} is wanted`);
    if (type === 'm.typing') {
      room.typing = new Set(content['user_ids'] as string[]);
      for (const userId of ignored) assert.ok(!room.typing.has(userId), 'nobody ignored is seen typing');
    } else
      for (const [key, eventId] of receiptsIn(content)) {
        assert.ok(!ignored.has(userOfReceipt(key)), 'nobody ignored is seen reading');
        room.receipts.set(key, eventId);
      }
  }
}

/** Of an `m.receipt`. */
export function receiptsIn(content: JsonObject): Map<string, EventId> {
  const found = new Map<string, EventId>();
  const receipts = content as Record<EventId, Record<string, Record<UserId, { thread_id?: string }>>>;
  for (const [eventId, types] of Object.entries(receipts))
    for (const [kind, users] of Object.entries(types))
      for (const [userId, { thread_id: thread = '' }] of Object.entries(users))
        found.set(`${userId} ${kind} ${thread}`, eventId as EventId);
  return found;
}

export const userOfReceipt = (key: string): UserId => key.split(' ')[0] as UserId;

/** `all`: what is true of the room. */
export function assertReceipts(
  room: KnownRoom,
  all: ReadonlyMap<string, EventId>,
  reader: UserId,
  ignored: ReadonlySet<UserId>,
): void {
  for (const [key, eventId] of all) {
    const userId = userOfReceipt(key);
    if (ignored.has(userId) || (key.includes('m.read.private') && userId !== reader)) continue;
    const known = room.receipts.get(key);
    if (known !== eventId)
      assert.equal(room.missed.get(key), eventId, `the receipt ${key}, which is known as ${known}`);
  }
  for (const key of room.receipts.keys())
    assert.ok(all.has(key) && (!key.includes('m.read.private') || userOfReceipt(key) === reader), `${key} is known`);
}
