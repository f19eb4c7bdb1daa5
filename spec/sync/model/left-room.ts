/** Rooms that somebody is out of: until the departure what could be seen, and then the reader's own event alone. */
import assert from 'node:assert/strict';
import type { RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JoinedRoom } from '../../support/test-rooms.ts';
import { type ModelClientOptions, isFiltered, isStateAfter, passesOf, wantsEvent, wantsRoom } from './client-filter.ts';
import { type KnownState, apply, assertState, assertWanted, stateIn } from './known-state.ts';
import { type LoggedEvent, type RoomLog, type Standing, keyOf } from './room-log.ts';

export interface LeftRoomNews {
  readonly options: ModelClientOptions;
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly log: RoomLog;
  readonly since: number;
  readonly now: number;
  /** The user's own event that is told. */
  readonly own: LoggedEvent | undefined;
  readonly standing: Standing;
  readonly ignored: ReadonlySet<UserId>;
  readonly told: Pick<JoinedRoom, 'timeline' | 'state' | 'state_after'> | undefined;
  /** What the client held of the room while it was joined. */
  readonly known: KnownState | undefined;
}

export function checkLeftRoom(news: LeftRoomNews): void {
  const { options, roomId, userId, log, since, own, now, standing, ignored, told } = news;
  assert.ok(told, `${roomId}, which was left, is told`);
  const departure = standing.isForgotten ? undefined : log.lastDepartureAt(userId, now);
  const wasIn = since >= 0 && log.membershipAt(userId, since) === 'join';
  const passes = passesOf(options, ignored);
  const isTimelineWanted = wantsRoom(options.timeline, roomId);
  const isSeen = departure !== undefined && departure > since;
  const range = { since: wasIn ? since : -1, until: departure ?? 0, limit: options.limit, passes };
  const seen = isSeen && isTimelineWanted ? log.timeline(userId, range).events : [];
  const newest = [...seen];
  if (own !== undefined && isTimelineWanted && passes(own) && !newest.includes(own)) newest.push(own);
  const expected = newest.slice(Math.max(0, newest.length - options.limit));
  assert.deepEqual(
    told.timeline.events.map((event) => event.event_id),
    expected.map((event) => event.eventId),
    'the timeline of a room that was left',
  );
  const state = stateIn(told, options);
  assertWanted(state, news);
  for (const event of state) {
    const logged = log.find(event.event_id);
    const isOwn = isStateAfter(options) && logged === own;
    assert.ok(isOwn || (isSeen && logged !== undefined && logged.pos <= departure), 'no state of later than that');
  }
  const tellsOwn = own !== undefined && wantsEvent(options.state, own) && wantsRoom(options.state, roomId);
  if (isStateAfter(options) && tellsOwn)
    assert.ok(
      state.some((event) => event.event_id === own.eventId),
      'the end of the membership is in the state',
    );
  if (isSeen) checkState(news, departure, wasIn);
}

/** The client knows the room as it was when the user went. */
function checkState(news: LeftRoomNews, departure: number, wasIn: boolean): void {
  const { options, roomId, userId, log, own, told, known } = news;
  if (told === undefined || isFiltered(options) || options.state !== undefined) return;
  if (wasIn && (known === undefined || known.overtaken.size > 0)) return;
  const state: KnownState = { events: new Map(wasIn ? known?.events : []), overtaken: new Set() };
  apply(state, stateIn(told, options));
  if (!isStateAfter(options)) apply(state, told.timeline.events);
  const actual = new Map(log.stateAt(departure));
  if (own !== undefined) actual.set(keyOf('m.room.member', userId), own);
  assertState(state, { options, roomId }, actual, 'when it was left');
}
