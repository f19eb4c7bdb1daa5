/**
 * A request with a token that was used before: what the first answer held is in the second, in the same order, or can be paged
 * back to; what happened since may be added.
 */
import assert from 'node:assert/strict';
import type { RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import type { ClientEvent, JoinedRoom, SyncAnswer } from '../../support/test-rooms.ts';
import type { ModelClientOptions } from './client-filter.ts';
import { receiptsIn } from './known-room.ts';
import { stateIn } from './known-state.ts';
import { messagesIn } from './known-user-data.ts';
import { posOf } from './model-client.ts';
import type { Truth } from './truth.ts';

export interface Repetition {
  readonly userId: UserId;
  readonly client: ModelClientOptions;
  readonly since: string | undefined;
  readonly truth: Truth;
  /** Whether other things happened while the second answer was made: a receipt that moves on is in the next one. */
  readonly isQuiet: boolean;
  /** Whether the user ignores the same people as when the first answer was made. */
  readonly hasSameIgnored: boolean;
  /** Whether the user's membership changed while the second answer was made: the next one tells of the room. */
  readonly isMoving: (roomId: RoomId) => boolean;
}

export function assertRepeated(first: SyncAnswer, second: SyncAnswer, repetition: Repetition): void {
  assert.ok(posOf(second.next_batch) >= posOf(first.next_batch), 'tokens go forwards');
  assertAllTold(first.account_data?.events, second.account_data?.events, '', repetition);
  const messages = messagesIn(first);
  assert.deepEqual(messagesIn(second).slice(0, messages.length), messages, 'messages to the device');
  assertSamePeople(first, second, repetition);
  for (const [name, rooms] of Object.entries(first.rooms ?? {}))
    for (const roomId of Object.keys(rooms) as RoomId[]) {
      const [told, again] = [first.rooms?.join?.[roomId], second.rooms?.join?.[roomId]];
      if (name === 'join' && told !== undefined && again !== undefined) assertRoom(told, again, roomId, repetition);
      else if (!isGone(roomId, repetition))
        assert.ok(
          Object.values(second.rooms ?? {}).some((section) => roomId in section),
          `${roomId} is told again`,
        );
    }
}

/** Whether there may be nothing to tell of a room any more. */
function isGone(roomId: RoomId, { userId, truth, isMoving, hasSameIgnored }: Repetition): boolean {
  const standing = truth.logs.get(roomId)?.standingAt(userId, Infinity);
  return isMoving(roomId) || !hasSameIgnored || standing?.isForgotten === true || isRefused(roomId, userId, truth);
}

/** Whether the user's membership is the deed of somebody whom they ignore. */
function isRefused(roomId: RoomId, userId: UserId, truth: Truth): boolean {
  const sender = truth.logs.get(roomId)?.ownEventAt(userId, Infinity)?.sender;
  return sender !== undefined && truth.ignoredBy(userId).has(sender);
}

function assertRoom(first: JoinedRoom, second: JoinedRoom, roomId: RoomId, repetition: Repetition): void {
  assertTimeline(first, second, roomId, repetition);
  assertState(first, second, roomId, repetition);
  assertAllTold(first.account_data.events, second.account_data.events, roomId, repetition);
  const receipts = receiptsOf(second);
  if (repetition.isQuiet && repetition.hasSameIgnored)
    for (const key of receiptsOf(first)) assert.ok(receipts.has(key), `the receipt ${key} in ${roomId}`);
}

function assertTimeline(first: JoinedRoom, second: JoinedRoom, roomId: RoomId, { userId, truth }: Repetition): void {
  const ignored = truth.ignoredBy(userId);
  const isHeard = ({ sender, state_key: key }: ClientEvent): boolean => key !== undefined || !ignored.has(sender);
  const ids = second.timeline.events.map((event) => event.event_id);
  const before = first.timeline.events.filter(isHeard).map((event) => event.event_id);
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

function assertState(first: JoinedRoom, second: JoinedRoom, roomId: RoomId, { client }: Repetition): void {
  // What the filter wants no longer is told no longer.
  if (client.state !== undefined) return;
  const keys = new Set([...stateIn(second, client), ...second.timeline.events].map(keyOf));
  for (const event of stateIn(first, client))
    // Who sent what was pushed out of the timeline need not be known any more.
    if (!client.lazy || event.type !== 'm.room.member')
      assert.ok(keys.has(keyOf(event)), `${keyOf(event)} of ${roomId}`);
}

const keyOf = ({ type, state_key }: ClientEvent): string => `${type}|${state_key ?? ''}`;

function assertAllTold(
  first: readonly { readonly type: string }[] | undefined,
  second: readonly { readonly type: string }[] | undefined,
  place: string,
  { userId, truth }: Repetition,
): void {
  const types = new Set(second?.map(({ type }) => type));
  for (const { type } of first ?? []) {
    // Who knows nothing is told nothing of what was deleted.
    const isDeleted = Object.keys(truth.accountData.get(`${userId}|${place}|${type}`) ?? { other: 1 }).length === 0;
    if (!isDeleted) assert.ok(types.has(type), `${type} of the account data ${place}`);
  }
}

/** Of presence. Who begins anew is told of those who are there. */
function assertSamePeople(first: SyncAnswer, second: SyncAnswer, repetition: Repetition): void {
  const { since, hasSameIgnored, truth, userId } = repetition;
  if (since === undefined || !hasSameIgnored) return;
  const now = posOf(second.next_batch);
  const told = new Set(second.presence?.events.map(({ sender }) => sender));
  for (const { sender } of first.presence?.events ?? [])
    if (truth.shareAlways(sender, userId, now, Infinity)) assert.ok(told.has(sender), `the presence of ${sender}`);
}

const receiptsOf = (room: JoinedRoom): Set<string> =>
  new Set(
    room.ephemeral.events
      .filter(({ type }) => type === 'm.receipt')
      .flatMap(({ content }) => [...receiptsIn(content).keys()]),
  );
