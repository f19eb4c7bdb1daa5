/**
 * A request with a token that was used before: what the first answer held is in the second, in the same order, or can be paged
 * back to; what happened since may be added.
 */
import assert from 'node:assert/strict';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { ClientEvent, JoinedRoom, SyncAnswer } from '../../support/test-rooms.ts';

export interface RepeatedOptions {
  readonly lazy: boolean;
  readonly stateAfter?: boolean;
  /** Whether other things happened while the second answer was made: a receipt that moves on is in the next one. */
  readonly isQuiet: boolean;
  /** Whether the user's membership changed while the second answer was made: the next one tells of the room. */
  readonly isMoving: (roomId: string) => boolean;
}

export function assertRepeated(first: SyncAnswer, second: SyncAnswer, options: RepeatedOptions): void {
  assert.ok(Number(second.next_batch.slice(1)) >= Number(first.next_batch.slice(1)), 'tokens go forwards');
  assertAllTold(first.account_data?.events, second.account_data?.events, 'global account data');
  const { join, leave } = second.rooms ?? {};
  for (const [roomId, room] of Object.entries(first.rooms?.join ?? {})) {
    const again = join?.[roomId];
    if (again === undefined) {
      if (options.isMoving(roomId)) continue;
      assert.ok(leave?.[roomId] !== undefined || isInvited(second, roomId), `${roomId} is told again`);
      continue;
    }
    assertTimeline(room, again, roomId);
    assertState(room, again, roomId, options);
    assertAllTold(room.account_data.events, again.account_data.events, `account data of ${roomId}`);
    const receipts = receiptsOf(again);
    for (const key of options.isQuiet ? receiptsOf(room) : [])
      assert.ok(receipts.has(key), `the receipt ${key} in ${roomId}`);
  }
  for (const [name, rooms] of Object.entries(first.rooms ?? {}))
    for (const roomId of Object.keys(rooms))
      if (name !== 'join' && !options.isMoving(roomId))
        assert.ok(
          Object.values(second.rooms ?? {}).some((section) => roomId in section),
          `${roomId} is told again`,
        );
}

const isInvited = ({ rooms }: SyncAnswer, roomId: string): boolean =>
  rooms?.invite?.[roomId] !== undefined || rooms?.knock?.[roomId] !== undefined;

function assertTimeline(first: JoinedRoom, second: JoinedRoom, roomId: string): void {
  const ids = second.timeline.events.map((event) => event.event_id);
  const before = first.timeline.events.map((event) => event.event_id);
  const kept = before.filter((id) => ids.includes(id));
  assert.deepEqual(
    ids.filter((id) => kept.includes(id)),
    kept,
    `the order in ${roomId}`,
  );
  // Further events may have pushed the older ones out.
  if (!second.timeline.limited) assert.deepEqual(kept, before, `the timeline of ${roomId}`);
  else assert.deepEqual(kept, before.slice(before.length - kept.length), `the end of the timeline of ${roomId}`);
}

function assertState(
  first: JoinedRoom,
  second: JoinedRoom,
  roomId: string,
  { lazy, stateAfter }: RepeatedOptions,
): void {
  const told = (room: JoinedRoom) => (stateAfter === true ? (room.state_after?.events ?? []) : room.state.events);
  const keys = new Set([...told(second), ...second.timeline.events].map(keyOf));
  for (const event of told(first))
    // Who sent what was pushed out of the timeline need not be known any more.
    if (!lazy || event.type !== 'm.room.member') assert.ok(keys.has(keyOf(event)), `${keyOf(event)} of ${roomId}`);
}

const keyOf = ({ type, state_key }: ClientEvent): string => `${type}|${state_key ?? ''}`;

function assertAllTold(
  first: readonly { readonly type: string }[] | undefined,
  second: readonly { readonly type: string }[] | undefined,
  what: string,
): void {
  const types = new Set(second?.map(({ type }) => type));
  for (const { type } of first ?? []) assert.ok(types.has(type), `${type} of ${what}`);
}

/** User, type and thread. */
function receiptsOf(room: JoinedRoom): Set<string> {
  const keys = new Set<string>();
  for (const { type, content } of room.ephemeral.events) {
    if (type !== 'm.receipt') continue;
    for (const types of Object.values(content as Record<string, Record<string, Record<string, JsonObject>>>))
      for (const [kind, users] of Object.entries(types))
        for (const [userId, { thread_id: thread = '' }] of Object.entries(users))
          keys.add(`${userId} ${kind} ${String(thread)}`);
  }
  return keys;
}
