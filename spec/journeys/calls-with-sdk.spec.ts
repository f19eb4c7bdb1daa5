/** Calls as an unmodified client makes them: who is in one, and how it ends for those who are gone, also across a crash. */
import * as sdk from 'matrix-js-sdk';
import { afterEach, expect, it } from 'vitest';
import { ServerProcess } from '../support/server-process.ts';
import { eventually } from './support/eventually.ts';
import { Person } from './support/person.ts';

const memberType = 'org.matrix.msc3401.call.member';
const focus = { type: 'livekit', livekit_service_url: 'https://livekit.test/jwt', livekit_alias: 'room' };

let server: ServerProcess | undefined;
const people: Person[] = [];
afterEach(async () => {
  for (const person of people.splice(0)) person.stop();
  await server?.close();
});

it('ends the call of somebody whose client and server both died, once the server is back', async () => {
  server = await ServerProcess.start();
  const [alice, bob] = [await client('alice'), await client('bob')];
  const { room_id: roomId } = await alice.createRoom({
    preset: sdk.Preset.PublicChat,
    power_level_content_override: { events: { [memberType]: 0 } },
  });
  await bob.joinRoom(roomId);
  await eventually('the room', () => alice.getRoom(roomId)?.getMember(bob.getSafeUserId())?.membership === 'join');
  const membershipsSeen = () => {
    const room = bob.getRoom(roomId);
    return room === null ? 0 : bob.matrixRTC.getRoomSession(room).memberships.length;
  };

  const room = alice.getRoom(roomId);
  if (room === null) throw new Error('alice knows her room');
  const session = alice.matrixRTC.getRoomSession(room);
  session.joinRoomSession([focus], undefined, { delayedLeaveEventDelayMs: 5_000, delayedLeaveEventRestartMs: 500 });
  await eventually('alice in the call', () => membershipsSeen() === 1);
  const [scheduled] = await waiting(alice);
  expect(scheduled).toMatchObject({ type: memberType, delay_ms: 5_000 });

  // As long as she is there her client puts the end off.
  await eventually(
    'the end put off',
    async () => Number((await waiting(alice))[0]?.['scheduled_at']) > Number(scheduled?.['scheduled_at']),
  );
  expect(membershipsSeen()).toBe(1);

  await server.kill();
  alice.stopClient();
  // Whatever her client tries from now on, it is not what ends her call.
  alice.setAccessToken('no token of anybody');
  await session.leaveRoomSession(1);
  await server.start();
  await eventually('alice out of the call', () => membershipsSeen() === 0);
}, 300_000);

it('sends delayed events of a client once, whatever happens to the server', async () => {
  server = await ServerProcess.start();
  const alice = await client('alice');
  const { room_id: roomId } = await alice.createRoom({});
  const texts = ['first', 'second', 'third'];
  for (const [index, body] of texts.entries())
    await alice['_unstable_sendDelayedEvent'](roomId, { delay: 1_000 + index }, null, sdk.EventType.RoomMessage, {
      msgtype: sdk.MsgType.Text,
      body,
    });
  for (let restarts = 0; restarts < 2; restarts++) await server.killAndRestart();
  const bodies = async (): Promise<unknown[]> => {
    const { chunk } = await alice.createMessagesRequest(roomId, null, 100, sdk.Direction.Forward);
    return chunk.flatMap(({ content }) => content['body'] ?? []);
  };
  await eventually('all of them', async () => (await bodies()).length >= texts.length);
  await server.killAndRestart();
  expect(await bodies()).toEqual(texts);
}, 300_000);

async function waiting(who: sdk.MatrixClient): Promise<readonly Record<string, unknown>[]> {
  const headers = { authorization: `Bearer ${who.getAccessToken()}` };
  const answer = await fetch(`${who.getHomeserverUrl()}/_matrix/client/v1/delayed_events`, { headers });
  return ((await answer.json()) as { delayed_events: readonly Record<string, unknown>[] }).delayed_events;
}

async function client(name: string): Promise<sdk.MatrixClient> {
  if (server === undefined) throw new Error('the server does not run');
  const person = await Person.register(server.url, { name, password: 'correct horse battery', initialSyncLimit: 20 });
  people.push(person);
  return person.client;
}
