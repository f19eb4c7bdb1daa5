import { expect, it } from 'vitest';
import { createAnswers } from '../../../src/federation/answers/index.ts';
import { contentHash } from '../../../src/matrix/crypto/content-hash.ts';
import { eventId as eventIdOf } from '../../../src/matrix/crypto/reference-hash.ts';
import { roomEventFromPdu } from '../../../src/matrix/events/room-event-from-pdu.ts';
import type { EventId, RoomId, ServerName } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { parseJson } from '../../../src/matrix/json/parse-json.ts';
import { receiveEvent } from '../../../src/rooms/receive-event.ts';
import { limits } from '../../../src/platform/limits.ts';
import { describeOnBothEngines, type TestEngine } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../support/test-rooms.ts';

const two = { origin: 'two' as ServerName, destination: 'test' as ServerName };
const three = { origin: 'three' as ServerName, destination: 'test' as ServerName };

interface Setting {
  readonly test: TestRooms;
  readonly answers: ReturnType<typeof createAnswers>;
  readonly alice: TestUser;
  readonly bob: TestUser;
  readonly roomId: RoomId;
}

/** Two servers share a room of which alice is the creator. */
async function start(engine: TestEngine, joins = true, visibility = 'shared'): Promise<Setting> {
  const ports = testPorts(1);
  const test = new TestRooms(await engine.open(), ports, { serverNames: ['test', 'two', 'three'] });
  const [alice, bob] = [await test.user('alice'), await test.user('bob', 'two')];
  const roomId = await test.createRoom(alice, {
    initialState: [{ type: 'm.room.history_visibility', stateKey: '', content: { history_visibility: visibility } }],
  });
  if (joins) await test.rooms.joinRoom(bob, { roomId });
  return { test, answers: createAnswers(test.ctx, ports), alice, bob, roomId };
}

const parsed = (text: Buffer): JsonObject => parseJson(text, { numbers: 'exact' }) as JsonObject;
async function whole(pieces: AsyncIterable<Buffer>): Promise<JsonObject> {
  return parsed(Buffer.concat(await Array.fromAsync(pieces)));
}
const pdusIn = (answer: JsonObject, name = 'pdus'): JsonObject[] => answer[name] as JsonObject[];
const bodiesIn = (answer: JsonObject, name = 'pdus'): unknown[] =>
  pdusIn(answer, name).map((pdu) => (pdu['content'] as JsonObject)['body'] ?? pdu['type']);

describeOnBothEngines('what other servers are told of rooms', (engine) => {
  it('is nothing of rooms that they are not in', async () => {
    const { test, answers, alice, roomId } = await start(engine);
    const eventId = await test.say(alice, roomId, 'hello');
    const unknown = '!unknown:test' as RoomId;
    const questions = [
      () => answers.event(three, eventId),
      () => answers.backfill(three, roomId, { from: [eventId], limit: 1 }),
      () => answers.missingEvents(three, roomId, { earliest: [], latest: [eventId], limit: 1, minDepth: 0 }),
      () => answers.state(three, roomId, eventId),
      () => answers.stateIds(three, roomId, eventId),
      () => answers.eventAuth(three, roomId, eventId),
      () => answers.eventByTime(three, roomId, { ts: 0, dir: 'f' }),
      () => answers.backfill(two, unknown, { from: [eventId], limit: 1 }),
    ];
    for (const question of questions)
      await expect(question()).rejects.toMatchObject({ status: 403, errcode: 'M_FORBIDDEN' });
  });

  it('is, after the last of their users was put out, what led to that and nothing that came later', async () => {
    const { test, answers, alice, bob, roomId } = await start(engine);
    const before = await test.say(alice, roomId, 'hello');
    const kicked = await test.setState(alice, roomId, 'm.room.member', { membership: 'leave' }, bob.userId);
    const after = await test.say(alice, roomId, 'alone at last');
    const question = { earliest: [], limit: 1, minDepth: 0 };
    const missing = parsed(await answers.missingEvents(two, roomId, { ...question, latest: [kicked] }));
    expect(bodiesIn(missing, 'events')).toEqual(['hello']);
    expect(bodiesIn(parsed(await answers.event(two, before)))).toEqual(['hello']);
    expect(pdusIn(await whole(await answers.state(two, roomId, kicked))).length).toBeGreaterThan(3);
    const forbiddenOnes = [
      () => answers.event(two, after),
      () => answers.missingEvents(two, roomId, { ...question, latest: [after] }),
      () => answers.missingEvents(two, roomId, { ...question, latest: [] }),
      () => answers.stateIds(two, roomId, after),
      () => answers.event(three, kicked),
      () => answers.backfill(two, roomId, { from: [kicked], limit: 1 }),
    ];
    for (const ask of forbiddenOnes) await expect(ask()).rejects.toMatchObject({ status: 403 });
  });

  it('is nothing where the access control list shuts them out', async () => {
    const { test, answers, alice, roomId } = await start(engine);
    const eventId = await test.say(alice, roomId, 'hello');
    await answers.event(two, eventId);
    await test.setState(alice, roomId, 'm.room.server_acl', { allow: ['*'], deny: ['two'] });
    await expect(answers.event(two, eventId)).rejects.toMatchObject({ status: 403 });
    await expect(answers.stateIds(two, roomId, eventId)).rejects.toMatchObject({ status: 403 });
    await test.setState(alice, roomId, 'm.room.server_acl', { allow: ['*'] });
    await answers.event(two, eventId);
  });

  it('is nothing once their last user has left', async () => {
    const { test, answers, alice, bob, roomId } = await start(engine);
    const eventId = await test.say(alice, roomId, 'hello');
    await test.rooms.leaveRoom(bob, { roomId });
    await expect(answers.event(two, eventId)).rejects.toMatchObject({ status: 403 });
  });

  it('is an event as it was signed', async () => {
    const { test, answers, alice, roomId } = await start(engine);
    const eventId = await test.say(alice, roomId, 'hello');
    const answer = parsed(await answers.event(two, eventId));
    expect(answer).toMatchObject({ origin: 'test', origin_server_ts: expect.any(Number) as number });
    const [pdu] = pdusIn(answer);
    const { rules } = await test.ctx.dags.open(roomId);
    expect(eventIdOf(pdu ?? {}, rules)).toBe(eventId);
    expect(pdu).toMatchObject({ hashes: { sha256: contentHash(pdu ?? {}) } });
    expect(pdu).not.toHaveProperty('unsigned');
    await expect(answers.event(two, '$unknown' as EventId)).rejects.toMatchObject({ status: 404 });
  });

  it('is history, the newest first, as much as they ask for', async () => {
    const { test, answers, alice, roomId } = await start(engine);
    for (const body of ['one', 'two', 'three']) await test.say(alice, roomId, body);
    const last = await test.say(alice, roomId, 'four');
    const question = { from: [last, '$unknown' as EventId], limit: 3 };
    const answer = parsed(await answers.backfill(two, roomId, question));
    expect(answer).toMatchObject({ origin: 'test' });
    expect(bodiesIn(answer)).toEqual(['four', 'three', 'two']);
    const all = parsed(await answers.backfill(two, roomId, { ...question, limit: 1_000 }));
    expect(bodiesIn(all).slice(0, 5)).toEqual(['four', 'three', 'two', 'one', 'm.room.member']);
    expect(bodiesIn(all).at(-1)).toBe('m.room.create');
  });

  it('is at most so much history', async () => {
    const { test, answers, alice, roomId } = await start(engine);
    let last: EventId | undefined;
    for (let count = 0; count < limits.backfillAnswerMax + 20; count++)
      last = await test.say(alice, roomId, `message ${count}`);
    const answer = parsed(await answers.backfill(two, roomId, { from: last ? [last] : [], limit: 10_000 }));
    expect(pdusIn(answer)).toHaveLength(limits.backfillAnswerMax);
    expect(bodiesIn(answer).at(-1)).toBe('message 20');
  });

  it('is what they miss between two events, the oldest first', async () => {
    const { test, answers, alice, roomId } = await start(engine);
    const first = await test.say(alice, roomId, 'one');
    for (const body of ['two', 'three', 'four']) await test.say(alice, roomId, body);
    const last = await test.say(alice, roomId, 'five');
    const question = { earliest: [first], latest: [last], limit: 10, minDepth: 0 };
    const missing = async (more: Partial<typeof question> = {}) =>
      bodiesIn(parsed(await answers.missingEvents(two, roomId, { ...question, ...more })), 'events');
    expect(await missing()).toEqual(['two', 'three', 'four']);
    expect(await missing({ limit: 2 })).toEqual(['three', 'four']);
    const { depth } = await test.storedEvent(last);
    expect(await missing({ minDepth: depth - 1 })).toEqual(['four']);
    expect(await missing({ latest: [first] })).toEqual([]);
  });

  it.each(['joined', 'invited'])('is redacted where their users could not see it: %s', async (visibility) => {
    const { test, answers, alice, bob, roomId } = await start(engine, false, visibility);
    const before = await test.say(alice, roomId, 'before');
    await test.rooms.inviteUser(alice, { roomId, target: bob.userId });
    const between = await test.say(alice, roomId, 'between');
    await test.rooms.joinRoom(bob, { roomId });
    const after = await test.say(alice, roomId, 'after');
    const question = { earliest: [], latest: [after], limit: 100, minDepth: 0 };
    const { rules } = await test.ctx.dags.open(roomId);
    const events = pdusIn(parsed(await answers.missingEvents(two, roomId, question)), 'events');
    const byId = new Map(events.map((pdu) => [eventIdOf(pdu, rules), pdu]));
    expect(byId.get(before)?.['content']).toEqual({});
    expect(byId.get(between)?.['content']).toEqual(
      visibility === 'invited' ? { msgtype: 'm.text', body: 'between' } : {},
    );
    const [joined] = pdusIn(parsed(await answers.event(two, after)));
    expect(joined?.['content']).toMatchObject({ body: 'after' });
    // What the room works by is in the redacted form too, and so is who may read it from then on.
    const states = events.filter((pdu) => pdu['type'] === 'm.room.history_visibility');
    expect(states.map((pdu) => pdu['content'])).toContainEqual({ history_visibility: visibility });
  });

  it('is whole for a server that was there before and has come back', async () => {
    const { test, answers, alice, bob, roomId } = await start(engine, true, 'joined');
    const first = await test.say(alice, roomId, 'first');
    await test.rooms.leaveRoom(bob, { roomId });
    const missed = await test.say(alice, roomId, 'missed');
    const carol = await test.user('carol', 'two');
    await test.rooms.joinRoom(carol, { roomId });
    const contentOf = async (eventId: EventId) => pdusIn(parsed(await answers.event(two, eventId)))[0]?.['content'];
    expect(await contentOf(first)).toMatchObject({ body: 'first' });
    expect(await contentOf(missed)).toEqual({});
    await test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'shared' });
    expect(await contentOf(missed)).toEqual({});
    const later = await test.say(alice, roomId, 'later');
    expect(await contentOf(later)).toMatchObject({ body: 'later' });
    // Somebody comes after it was remembered who is there.
    const dora = await test.user('dora', 'three');
    await expect(answers.event(three, later)).rejects.toMatchObject({ status: 403 });
    await test.rooms.joinRoom(dora, { roomId });
    expect(pdusIn(parsed(await answers.event(three, first)))[0]?.['content']).toEqual({});
  });

  it('is without the words of users who were erased', async () => {
    const { test, answers, alice, roomId } = await start(engine);
    const carol = await test.user('carol');
    await test.rooms.joinRoom(carol, { roomId });
    const eventId = await test.say(carol, roomId, 'a secret');
    const last = await test.say(alice, roomId, 'hello');
    await test.deactivate(carol, { isErased: true });
    const answer = await answers.backfill(two, roomId, { from: [last], limit: 100 });
    expect(answer.toString()).not.toContain('a secret');
    const { rules } = await test.ctx.dags.open(roomId);
    expect(pdusIn(parsed(answer)).map((pdu) => eventIdOf(pdu, rules))).toContain(eventId);
  });

  it('is the state before an event and its auth chain', async () => {
    const { test, answers, alice, roomId } = await start(engine);
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'old' });
    const changed = await test.setState(alice, roomId, 'm.room.topic', { topic: 'new' });
    const last = await test.say(alice, roomId, 'hello');
    const { rules } = await test.ctx.dags.open(roomId);
    for (const eventId of [changed, last]) {
      const state = await whole(await answers.state(two, roomId, eventId));
      const ids = await whole(await answers.stateIds(two, roomId, eventId));
      const idsOf = (name: string): Set<string> => new Set(pdusIn(state, name).map((pdu) => eventIdOf(pdu, rules)));
      expect(idsOf('pdus')).toEqual(new Set(ids['pdu_ids'] as string[]));
      expect(idsOf('auth_chain')).toEqual(new Set(ids['auth_chain_ids'] as string[]));
      const topic = pdusIn(state).find((pdu) => pdu['type'] === 'm.room.topic');
      expect(topic?.['content']).toEqual({ topic: eventId === changed ? 'old' : 'new' });
      const keys = pdusIn(state).map((pdu) => JSON.stringify([pdu['type'], pdu['state_key']]));
      expect(new Set(keys).size).toBe(keys.length);
      const cited = pdusIn(state).flatMap((pdu) => roomEventFromPdu(pdu, rules).authEvents);
      for (const authEvent of cited) expect(idsOf('auth_chain')).toContain(authEvent);
    }
    await expect(answers.stateIds(two, roomId, '$unknown' as EventId)).rejects.toMatchObject({ status: 404 });
  });

  it('is the auth chain of one event, and nothing else', async () => {
    const { test, answers, bob, roomId } = await start(engine);
    const carol = await test.user('carol', 'two');
    await test.rooms.joinRoom(carol, { roomId });
    await test.rooms.leaveRoom(bob, { roomId });
    await test.rooms.joinRoom(bob, { roomId });
    const last = await test.say(bob, roomId, 'hello');
    const { rules } = await test.ctx.dags.open(roomId);
    const answer = await whole(await answers.eventAuth(two, roomId, last));
    const chain = pdusIn(answer, 'auth_chain');
    const members = chain.filter((pdu) => pdu['state_key'] === bob.userId);
    const memberships = members.map((pdu) => (pdu['content'] as JsonObject)['membership']);
    expect(new Set(memberships)).toEqual(new Set(['join', 'leave']));
    expect(memberships).toHaveLength(3);
    expect(chain.filter((pdu) => pdu['state_key'] === carol.userId)).toEqual([]);
    expect(rules.eventAuth.createEventIsRoomId).toBe(true);
    expect(chain.map((pdu) => pdu['type'])).toContain('m.room.create');
    expect(chain.map((pdu) => eventIdOf(pdu, rules))).not.toContain(last);
    expect(new Set(chain.map((pdu) => eventIdOf(pdu, rules))).size).toBe(chain.length);
  });

  it('is the event nearest to a time', async () => {
    const { test, answers, alice, roomId } = await start(engine);
    const eventId = await test.say(alice, roomId, 'hello');
    const { originServerTs } = await test.storedEvent(eventId);
    const back = await answers.eventByTime(two, roomId, { ts: originServerTs + 10, dir: 'b' });
    expect(back).toEqual({ event_id: eventId, origin_server_ts: originServerTs });
    const question = answers.eventByTime(two, roomId, { ts: originServerTs + 10, dir: 'f' });
    await expect(question).rejects.toMatchObject({ status: 404 });
  });

  it('is no event that was rejected, unless it is asked for by its id', async () => {
    const { test, answers, alice, roomId } = await start(engine);
    const dag = await test.ctx.dags.open(roomId);
    const good = await test.storedEvent(await test.say(alice, roomId, 'good'));
    // Nobody of that name is in the room.
    const pdu = { ...good.pdu, sender: '@mallory:two', prev_events: [good.eventId], depth: good.depth + 1 };
    const event = roomEventFromPdu(pdu, dag.rules);
    const placed = await receiveEvent(test.ctx, dag, { event, body: JSON.stringify(pdu) });
    await placed.ticket?.committed;
    expect(placed.verdict.ok).toBe(false);
    const asked = parsed(await answers.backfill(two, roomId, { from: [event.eventId], limit: 2 }));
    expect(pdusIn(asked).map((one) => eventIdOf(one, dag.rules))[0]).toBe(good.eventId);
    expect(pdusIn(parsed(await answers.event(two, event.eventId)))).toHaveLength(1);
  });
});
