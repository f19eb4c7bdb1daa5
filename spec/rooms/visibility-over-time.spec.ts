/**
 * What somebody sees of rooms with random visibilities and memberships over time, against a straightforward reading of
 * https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
 */
import { expect, it } from 'vitest';
import { MatrixError } from '../../src/matrix/errors.ts';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import { onPostgres, onSqlite, type TestEngine } from '../support/databases.ts';
import { seededRandom, testPorts } from '../support/test-ports.ts';
import { type ClientEvent, asSent, TestRooms, type TestUser } from '../support/test-rooms.ts';

const visibilities = ['world_readable', 'shared', 'invited', 'joined'];

/** The events in their order, as somebody knows them who was there all the time, and what another one may see of them. */
class Oracle {
  readonly #events: readonly ClientEvent[];
  readonly #reader: string;

  constructor(events: readonly ClientEvent[], reader: string) {
    this.#events = events;
    this.#reader = reader;
  }

  get visible(): string[] {
    return this.#events.filter((_, index) => this.#isVisible(index)).map((event) => event.event_id);
  }

  /** Nobody reads a room in which they never were, unless everybody may read it now. */
  get isOpen(): boolean {
    return this.#visibility(this.#events.length) === 'world_readable' || this.#joins.length > 0;
  }

  /** How much of the room there is for who pages through it: not what came after they left. */
  get end(): number {
    const { length } = this.#events;
    if (this.#visibility(length) === 'world_readable' || this.membership === 'join') return length;
    const left = this.#events.findIndex(
      (event, index) =>
        index > (this.#joins.at(-1) ?? 0) && this.#isOwn(event) && event.content['membership'] !== 'join',
    );
    return left + 1;
  }

  get membership(): string {
    return this.#membership(this.#events.length);
  }

  /** The newest events without a gap. */
  get newest(): string[] {
    const seen = this.#events.map((_, index) => this.#isVisible(index));
    const last = seen.lastIndexOf(true);
    return this.#events.slice(seen.lastIndexOf(false, last) + 1, last + 1).map((event) => event.event_id);
  }

  upToEnd(eventIds: readonly string[]): string[] {
    const there = this.#events.slice(0, this.end).map((event) => event.event_id as string);
    return eventIds.filter((eventId) => there.includes(eventId));
  }

  /** Event ids of the state that there is for the reader. */
  get state(): string[] {
    const state = new Map<string, string>();
    for (const event of this.#events.slice(0, this.end))
      if (event.state_key !== undefined) state.set(`${event.type} ${event.state_key}`, event.event_id);
    return [...state.values()];
  }

  #isVisible(index: number): boolean {
    const allows = (stateAt: number, membershipAt: number): boolean => {
      const visibility = this.#visibility(stateAt);
      const membership = this.#membership(membershipAt);
      if (visibility === 'world_readable' || membership === 'join') return true;
      if (visibility === 'shared' && this.#joins.some((join) => join > index)) return true;
      return membership === 'invite' && visibility === 'invited';
    };
    const event = this.#events[index];
    const isVisibility = event?.type === 'm.room.history_visibility';
    const isOwn = event !== undefined && this.#isOwn(event);
    // The state at an event is the one before it, except that it may be seen by what it changes.
    return allows(index, index) || (isVisibility && allows(index + 1, index)) || (isOwn && allows(index, index + 1));
  }

  #isOwn(event: ClientEvent): boolean {
    return event.type === 'm.room.member' && event.state_key === this.#reader;
  }
  get #joins(): number[] {
    return this.#events.flatMap((event, index) =>
      this.#isOwn(event) && event.content['membership'] === 'join' ? [index] : [],
    );
  }
  /** Before the event at the index. */
  #visibility(index: number): string {
    const set = this.#events.slice(0, index).findLast((event) => event.type === 'm.room.history_visibility');
    return String(set?.content['history_visibility'] ?? 'shared');
  }
  #membership(index: number): string {
    return String(
      this.#events.slice(0, index).findLast((event) => this.#isOwn(event))?.content['membership'] ?? 'leave',
    );
  }
}

class RandomRoom {
  readonly #test: TestRooms;
  readonly #alice: TestUser;
  readonly #bob: TestUser;
  readonly #roomId: RoomId;
  readonly #draw: (below: number) => number;
  #count = 0;

  constructor(test: TestRooms, users: readonly [TestUser, TestUser], roomId: RoomId, draw: (below: number) => number) {
    this.#test = test;
    [this.#alice, this.#bob] = users;
    this.#roomId = roomId;
    this.#draw = draw;
  }

  /** What the rules of the room do not allow just does not happen. */
  async step(): Promise<void> {
    const { rooms } = this.#test;
    const target = { roomId: this.#roomId, target: this.#bob.userId };
    const steps: readonly (() => Promise<unknown>)[] = [
      () => this.#say(),
      () => this.#say(),
      () => this.#show(visibilities[this.#draw(visibilities.length)] ?? ''),
      () => this.#show(visibilities[this.#draw(visibilities.length)] ?? ''),
      () => rooms.inviteUser(this.#alice, target),
      () => rooms.joinRoom(this.#bob, { roomId: this.#roomId }),
      () => rooms.joinRoom(this.#bob, { roomId: this.#roomId }),
      () => rooms.leaveRoom(this.#bob, { roomId: this.#roomId }),
      () => rooms.knockRoom(this.#bob, { roomId: this.#roomId }),
      () => rooms.kickUser(this.#alice, target),
      () => rooms.banUser(this.#alice, target),
      () => rooms.unbanUser(this.#alice, target),
    ];
    await steps[this.#draw(steps.length)]?.().catch((error: unknown) => {
      if (!(error instanceof MatrixError)) throw error;
    });
  }

  #say(): Promise<unknown> {
    return this.#test.say(this.#alice, this.#roomId, `message ${++this.#count}`);
  }
  #show(visibility: string): Promise<unknown> {
    return this.#test.setState(this.#alice, this.#roomId, 'm.room.history_visibility', {
      history_visibility: visibility,
    });
  }
}

const idsOf = (events: readonly ClientEvent[]): string[] => events.map((event) => event.event_id);

async function compare(engine: TestEngine, seed: number): Promise<void> {
  const random = seededRandom(`visibility ${seed}`);
  const draw = (below: number): number => random.int(below);
  const test = new TestRooms(await engine.open(), testPorts(seed));
  const [alice, bob] = [await test.user('alice'), await test.user('bob')];
  const joinRule = ['public', 'invite', 'knock'][draw(3)] ?? '';
  const roomId = await test.createRoom(alice, {
    initialState: [{ type: 'm.room.join_rules', stateKey: '', content: { join_rule: joinRule } }],
  });
  const room = new RandomRoom(test, [alice, bob], roomId, draw);
  for (let steps = 10 + draw(25); steps > 0; steps--) await room.step();

  const all = (await test.history(alice, roomId, { dir: 'f' })).chunk;
  const oracle = new Oracle(all, bob.userId);
  const said = all.map(({ type, state_key: key, content }) => `${type} ${key ?? ''} ${JSON.stringify(content)}`);
  const story = `seed ${seed}\n${said.join('\n')}`;
  if (!oracle.isOpen) {
    await expect(test.history(bob, roomId), story).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await expect(test.event(bob, roomId, all[0]?.event_id ?? ('' as never)), story).rejects.toMatchObject({
      status: 404,
    });
    return;
  }
  const page = oracle.upToEnd(oracle.visible);
  expect(idsOf((await test.history(bob, roomId)).chunk).toReversed(), story).toEqual(page);
  expect(idsOf((await test.history(bob, roomId, { dir: 'f' })).chunk), story).toEqual(page);
  for (const { event_id: eventId } of all) {
    const event = await test.event(bob, roomId, eventId).catch(() => undefined);
    expect(event !== undefined, `${story}\n/event ${eventId}`).toBe(oracle.visible.includes(eventId));
  }
  const middle = page[Math.floor(page.length / 2)];
  if (middle !== undefined) {
    const context = await test.rooms.context(bob, roomId, middle as never, 100, undefined);
    const { events_before: before, events_after: after } = asSent<{
      readonly events_before: ClientEvent[];
      readonly events_after: ClientEvent[];
    }>(context);
    expect([...idsOf(before).toReversed(), middle, ...idsOf(after)], story).toEqual(page);
  }
  const state = await test.state(bob, roomId);
  expect(idsOf(state).toSorted(), story).toEqual(oracle.state.toSorted());
  const members = asSent<ClientEvent[]>(await test.rooms.members(bob, roomId, {}));
  const memberIds = idsOf(state.filter(({ type }) => type === 'm.room.member'));
  expect(idsOf(members).toSorted(), story).toEqual(memberIds.toSorted());
  const filter = { room: { timeline: { limit: 100 } } };
  const told = (await test.syncOnce(bob, undefined, { filter })).rooms?.join?.[roomId]?.timeline.events;
  if (oracle.membership === 'join') expect(idsOf(told ?? []), story).toEqual(oracle.newest);
  else expect(told, story).toBeUndefined();
}

onSqlite('what is seen of random rooms', (engine) => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed + 1))('is what the prose says (%i)', (seed) =>
    compare(engine, seed),
  );
});
onPostgres('what is seen of random rooms', (engine) => {
  it.each(Array.from({ length: 6 }, (_, seed) => seed + 1))('is what the prose says (%i)', (seed) =>
    compare(engine, seed),
  );
});
