/** Random things happen in a few rooms, to model clients that lose answers, change their rules, and outlive restarts. */
import type { RoomId } from '../../../../src/matrix/ids/ids.ts';
import { RequiredState } from '../../../../src/sync/sliding/required-state.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { testPorts } from '../../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../../support/test-rooms.ts';
import { type Rules, SlidingModel } from './sliding-model.ts';

const everything = new RequiredState([{ include: [{}], exclude: [], lazyMembers: false }]);
const few = new RequiredState([{ include: [{ type: 'm.room.topic' }], exclude: [], lazyMembers: true }]);

/** Rejects with what went wrong, and what happened before. */
export async function liveWithSliding(db: Database, seed: number, actions: number): Promise<void> {
  const ports = testPorts(seed);
  let test = new TestRooms(db, ports);
  const users: TestUser[] = [];
  for (const name of ['alice', 'bob', 'carol']) users.push(await test.user(name));
  const [alice, bob] = users as [TestUser, TestUser];
  const rooms: RoomId[] = [];
  for (let i = 0; i < 5; i++) rooms.push(await test.createRoom(alice));
  const models = [new SlidingModel(bob, 'one'), new SlidingModel(bob, 'two')];
  const history: string[] = [];
  const pick = <T>(of: readonly T[]): T => of[ports.random.int(of.length)] as T;
  const rulesOf = (): Rules => ({
    range: [0, pick([0, 1, 3, 99])],
    timelineLimit: pick([1, 2, 5]),
    required: pick([everything, few]),
    subscribed: ports.random.int(4) === 0 ? [pick(rooms)] : [],
  });
  const rules = new Map(models.map((model) => [model, rulesOf()]));
  let said = 0;
  const act = async (): Promise<void> => {
    const [user, room] = [pick(users), pick(rooms)];
    const what = ports.random.int(9);
    history.push(`${user.profile['displayname'] as string} ${what} ${rooms.indexOf(room)}`);
    switch (what) {
      case 0:
        await test.rooms.joinRoom(user, { roomId: room });
        return;
      case 1:
        if (user !== alice) await test.rooms.leaveRoom(user, { roomId: room });
        return;
      case 2:
        return void (await test.setState(alice, room, 'm.room.topic', { topic: `topic ${++said}` }));
      case 3:
        return void (await test.setState(alice, room, 'm.room.name', { name: pick(['', 'name']) }));
      default:
        return void (await test.say(user, room, `text ${++said}`));
    }
  };
  const sync = async (model: SlidingModel): Promise<void> => {
    if (ports.random.int(3) === 0) rules.set(model, rulesOf());
    const asked = rules.get(model) ?? rulesOf();
    const answer = await model.ask(test, asked);
    const isLost = ports.random.int(4) === 0;
    history.push(
      `${model.connId} asks ${JSON.stringify({ ...asked, required: asked.required === few ? 'few' : 'all' })}${isLost ? ', and loses it' : ''}`,
    );
    if (!isLost) model.take(answer);
  };
  try {
    for (let action = 0; action < actions; action++) {
      const dice = ports.random.int(30);
      if (dice === 0) {
        history.push('restart');
        await test.sync.close();
        test = test.restarted();
      } else if (dice < 12) await sync(pick(models));
      // What somebody may not do changes nothing.
      else await act().catch(() => undefined);
    }
    for (const model of models) await assertComplete(test, model, users);
  } catch (error) {
    throw new Error(`seed ${seed}: ${history.slice(-30).join('; ')}`, { cause: error });
  } finally {
    await test.sync.close();
    test.rooms.close();
  }
}

/** All rooms are asked for until nothing is new; then both ways of syncing must have told the same. */
async function assertComplete(test: TestRooms, model: SlidingModel, users: readonly TestUser[]): Promise<void> {
  const all: Rules = { range: [0, 99], timelineLimit: 5, required: everything, subscribed: [] };
  for (let asked = 0; asked < 3; asked++) model.take(await model.ask(test, all));
  const last = await model.ask(test, all);
  if (Object.keys(last.rooms).length > 0) throw new Error(`something is told again: ${JSON.stringify(last.rooms)}`);
  const [, bob] = users as [TestUser, TestUser];
  const { rooms } = await test.syncOnce(bob, undefined, {
    stateField: 'state_after',
    filter: { room: { timeline: { limit: 5 } } },
  });
  const joined = Object.entries(rooms?.join ?? {});
  const held = [...model.rooms].filter(([, { membership }]) => membership === 'join').map(([roomId]) => roomId);
  same(held.toSorted(), joined.map(([roomId]) => roomId).toSorted(), 'joined rooms');
  same(model.count, joined.length, 'the count of the list');
  for (const [roomId, room] of joined) {
    const mine = model.rooms.get(roomId);
    if (mine === undefined) throw new Error(`${roomId} was not told`);
    const state = (room.state_after?.events ?? []).map(
      (event) => `${event.type} ${event.state_key ?? ''} ${event.event_id}`,
    );
    same(
      [...mine.state].map(([key, eventId]) => `${key} ${eventId}`).toSorted(),
      state.toSorted(),
      `the state of ${roomId}`,
    );
    const newest = room.timeline.events.map(({ event_id: eventId }) => eventId);
    same(mine.timeline.slice(-newest.length), newest, `the timeline of ${roomId}`);
    same(mine.joined, room.summary?.['m.joined_member_count'], `who is in ${roomId}`);
  }
}

function same(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: ${left} instead of ${right}`);
}
