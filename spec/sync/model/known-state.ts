/** The state of one room as a client keeps it, held against what it must be after each answer. */
import assert from 'node:assert/strict';
import type { EventId, RoomId } from '../../../src/matrix/ids/ids.ts';
import type { ClientEvent, JoinedRoom } from '../../support/test-rooms.ts';
import {
  type ModelClientOptions,
  isFiltered,
  isStateAfter,
  splitsKeys,
  wantsEvent,
  wantsRoom,
} from './client-filter.ts';
import { type LoggedEvent, type ModelState, type RoomLog, keyOf } from './room-log.ts';

export interface KnownState {
  /** type and state key → event */
  readonly events: Map<string, EventId>;
  /** Keys whose value a timeline that lacks some of their events has replaced by an older one. */
  readonly overtaken: Set<string>;
}

export interface StateNews {
  readonly options: ModelClientOptions;
  readonly roomId: RoomId;
  readonly log: RoomLog;
  /** -1: the client is to be told everything. */
  readonly since: number;
  readonly now: number;
  readonly told: Pick<JoinedRoom, 'timeline' | 'state' | 'state_after'>;
  /** The first of the timeline. */
  readonly first: LoggedEvent | undefined;
}

/** State before the timeline, then the timeline's own; or the state after it. */
export function takeState(known: KnownState, news: StateNews): void {
  const { options, roomId, log, now, told, first } = news;
  const { events } = told.timeline;
  const state = stateIn(told, options);
  assertWanted(state, news);
  const start = isStateAfter(options) || first === undefined ? now : first.pos - 1;
  if (options.state === undefined && (isStateAfter(options) || isWhole(news))) assertExact(state, start, news);
  apply(known, state);
  if (isStateAfter(options)) {
    if (options.lazy) for (const event of events) assertSenderKnown(known, news, event, now);
  } else if (!isWhole(news)) {
    apply(known, events);
    markOvertaken(known, news);
  } else {
    assertState(known, news, log.stateAt(start), 'before the timeline');
    for (const event of events) {
      if (options.lazy && !isOwnMembership(event))
        assertSenderKnown(known, news, event, (log.find(event.event_id)?.pos ?? 0) - 1);
      apply(known, [event]);
    }
  }
  assertState(known, { options, roomId }, log.stateAt(now), 'after the answer');
}

export function stateIn(told: StateNews['told'], { stateField = 'state' }: ModelClientOptions): readonly ClientEvent[] {
  const all = told as Partial<Record<typeof stateField, { readonly events: readonly ClientEvent[] }>>;
  for (const name of ['state', 'state_after', 'org.matrix.msc4222.state_after'] as const)
    assert.equal(all[name] !== undefined, name === stateField, `whether the state is told as ${name}`);
  return all[stateField]?.events ?? [];
}

/** Whether the timeline has everything that happened since its first event. */
const isWhole = ({ options, roomId }: StateNews): boolean =>
  !isFiltered(options) && wantsRoom(options.timeline, roomId);

export function assertWanted(
  state: readonly ClientEvent[],
  { options, roomId }: Pick<StateNews, 'options' | 'roomId'>,
): void {
  const keys = new Set<string>();
  for (const event of state) {
    const key = keyOf(event.type, event.state_key ?? '');
    assert.ok(
      wantsEvent(options.state, { ...event, hasUrl: event.content['url'] !== undefined }) &&
        wantsRoom(options.state, roomId),
      `${key} of ${roomId} is wanted`,
    );
    assert.ok(!keys.has(key), `${key} of ${roomId} is told once`);
    keys.add(key);
  }
}

/** What changed until the start of the timeline, nothing else, and nothing less. */
function assertExact(state: readonly ClientEvent[], start: number, { options, roomId, log, since }: StateNews): void {
  const before = since < 0 ? new Map<string, LoggedEvent>() : log.stateAt(since);
  const changed = [...log.stateAt(start)].filter(([key, { eventId }]) => before.get(key)?.eventId !== eventId);
  // Members may be told again, or not at all.
  const counts = (key: string): boolean => !options.lazy || !key.startsWith(memberPrefix);
  assert.deepEqual(
    state
      .filter((event) => counts(keyOf(event.type, event.state_key ?? '')))
      .map((event) => event.event_id)
      .toSorted(),
    changed.flatMap(([key, { eventId }]) => (counts(key) ? eventId : [])).toSorted(),
    `the state that is told of ${roomId}`,
  );
}

export function apply({ events, overtaken }: KnownState, told: readonly ClientEvent[] = []): void {
  for (const { type, state_key: stateKey, event_id: eventId } of told) {
    if (stateKey === undefined) continue;
    events.set(keyOf(type, stateKey), eventId);
    overtaken.delete(keyOf(type, stateKey));
  }
}

function markOvertaken({ events, overtaken }: KnownState, { options, log, now, told }: StateNews): void {
  if (!splitsKeys(options)) return;
  const state = log.stateAt(now);
  for (const { type, state_key: stateKey } of told.timeline.events) {
    const key = keyOf(type, stateKey ?? '');
    if (stateKey !== undefined && state.get(key)?.eventId !== events.get(key)) overtaken.add(key);
  }
}

export function assertState(
  { events: known, overtaken }: KnownState,
  { options, roomId }: Pick<StateNews, 'options' | 'roomId'>,
  actual: ModelState,
  when: string,
): void {
  if (!options.lazy && options.state === undefined && overtaken.size === 0) {
    const wanted = new Map([...actual].map(([key, event]) => [key, event.eventId]));
    assert.deepEqual(sorted(known), sorted(wanted), `state of ${roomId} ${when}`);
    return;
  }
  if (!wantsRoom(options.state, roomId)) return;
  for (const [key, event] of actual) {
    const knownId = known.get(key);
    // Of members loaded lazily some may be unknown, and none may be out of date.
    const isUnloaded = options.lazy && knownId === undefined && key.startsWith(memberPrefix);
    if (wantsEvent(options.state, event) && !isUnloaded && !overtaken.has(key))
      assert.equal(knownId, event.eventId, `${key} in ${roomId} ${when}`);
  }
}

function assertSenderKnown(
  { events }: KnownState,
  { options, roomId, log }: StateNews,
  event: ClientEvent,
  pos: number,
) {
  const key = keyOf('m.room.member', event.sender);
  const member = log.stateAt(pos).get(key);
  const isWanted = member === undefined || (wantsEvent(options.state, member) && wantsRoom(options.state, roomId));
  if (isWanted) assert.equal(events.get(key), member?.eventId, `the member who sent ${event.event_id}`);
}

const memberPrefix = 'm.room.member|';
const isOwnMembership = (event: ClientEvent): boolean =>
  event.type === 'm.room.member' && event.state_key === event.sender;
export const sorted = <T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] =>
  [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
