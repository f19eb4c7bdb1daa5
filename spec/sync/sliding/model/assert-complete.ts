/** Everything was asked for and told: both ways of syncing must have told the same. */
import assert from 'node:assert/strict';
import type { JoinedRoom, TestRooms } from '../../../support/test-rooms.ts';
import { receiptsIn, userOfReceipt } from '../../model/known-room.ts';
import type { SlidingAnswer } from '../support/sliding-client.ts';
import type { HeldRoom, SlidingModel } from './sliding-model.ts';

export interface Known {
  readonly test: TestRooms;
  /** Whom the reader ignores, and ever ignored. */
  readonly ignored: ReadonlySet<string>;
  readonly everIgnored: ReadonlySet<string>;
}

/** `last`: an answer that comes after all has been told. */
export async function assertComplete(
  known: Known,
  model: SlidingModel,
  last: SlidingAnswer | undefined,
): Promise<void> {
  assert.deepEqual(last?.rooms, {}, 'nothing is told again');
  const { rooms } = await known.test.syncOnce({ ...model.user, deviceNid: 999 }, undefined, {
    stateField: 'state_after',
    filter: { room: { timeline: { limit: 5 }, include_leave: true } },
  });
  const of = (membership: string) =>
    [...model.rooms].flatMap(([roomId, held]) => (held.membership === membership ? roomId : [])).toSorted();
  const joined = rooms?.join ?? {};
  assert.deepEqual(of('join'), Object.keys(joined).toSorted(), 'joined rooms');
  const waiting = { ...rooms?.invite, ...rooms?.knock };
  // Whoever was ignored when they invited may have been told of, or not.
  if (known.everIgnored.size === 0) {
    const shown = [...of('invite'), ...of('knock')];
    assert.deepEqual(shown.toSorted(), Object.keys(waiting).toSorted(), 'invites and knocks');
    const sentAway = Object.values(rooms?.leave ?? {}).filter((room) => wasSentAway(room, model.user.userId));
    const listed = Object.keys(joined).length + Object.keys(waiting).length + sentAway.length;
    assert.equal(model.count, listed, 'the count of the list');
  }
  for (const [roomId, room] of Object.entries(joined)) {
    const held = model.rooms.get(roomId);
    assert.ok(held, `${roomId} was told`);
    assertSameState(roomId, held, room);
    assertSameTimeline(known, roomId, held, room);
    assertSameReceipts(known, model, roomId, held, room);
    const { notification_count: notifications, highlight_count: highlights } = room.unread_notifications;
    if (held.counts !== undefined) assert.deepEqual(held.counts, [notifications, highlights], `counts of ${roomId}`);
  }
}

/** Rooms from which somebody was kicked or banned stay in lists, unless they never were in them. */
function wasSentAway({ state_after: state }: Pick<JoinedRoom, 'state_after'>, userId: string): boolean {
  const events = state?.events ?? [];
  const own = events.find(({ type, state_key: key }) => type === 'm.room.member' && key === userId);
  return own?.sender !== userId && events.some(({ type }) => type === 'm.room.create');
}

function assertSameState(roomId: string, held: HeldRoom, room: JoinedRoom): void {
  const told = (room.state_after?.events ?? []).map(
    ({ type, state_key: key = '', event_id: id }) => `${type} ${key} ${id}`,
  );
  const mine = [...held.state].map(([key, eventId]) => `${key} ${eventId}`);
  assert.deepEqual(mine.toSorted(), told.toSorted(), `the state of ${roomId}`);
  assert.equal(held.joined, room.summary?.['m.joined_member_count'], `who is in ${roomId}`);
  assert.equal(held.invited, room.summary?.['m.invited_member_count'], `who is invited to ${roomId}`);
}

function assertSameTimeline({ everIgnored }: Known, roomId: string, held: HeldRoom, room: JoinedRoom): void {
  type Event = { readonly sender?: string; readonly state_key?: string; readonly event_id?: string };
  const heard = (events: readonly Event[]): unknown[] =>
    events.flatMap(({ sender = '', state_key: key, event_id: eventId }) =>
      key === undefined && everIgnored.has(sender) ? [] : eventId,
    );
  const [mine, newest] = [heard(held.timeline), heard(room.timeline.events)];
  // What was left out is missed: then both may reach back to different events.
  const count = everIgnored.size === 0 ? newest.length : Math.min(mine.length, newest.length);
  assert.deepEqual(mine.slice(mine.length - count), newest.slice(newest.length - count), `the timeline of ${roomId}`);
}

/** Of the events that the client has, and its user's own; of others only what is true. */
function assertSameReceipts(
  { everIgnored }: Known,
  { user }: SlidingModel,
  roomId: string,
  held: HeldRoom,
  room: JoinedRoom,
): void {
  const told = room.ephemeral.events.filter(({ type }) => type === 'm.receipt');
  const all = new Map(told.flatMap(({ content }) => [...receiptsIn(content)]));
  const seen = new Set(room.timeline.events.map((event) => event.event_id));
  for (const [key, eventId] of all) {
    const reader = userOfReceipt(key);
    if (everIgnored.has(reader)) continue;
    if (reader === user.userId || seen.has(eventId) || held.receipts.has(key))
      assert.equal(held.receipts.get(key), eventId, `the receipt ${key} in ${roomId}`);
  }
  for (const key of held.receipts.keys())
    assert.ok(all.has(key) || everIgnored.has(userOfReceipt(key)), `the receipt ${key} in ${roomId} is there`);
}
