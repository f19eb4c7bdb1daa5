/** What people do with rooms beyond talking, by way of an unmodified client. */
import * as sdk from 'matrix-js-sdk';
import { afterEach, expect, it } from 'vitest';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { eventually } from './support/eventually.ts';
import { Person } from './support/person.ts';

let server: LoopbackServer | undefined;
const people: Person[] = [];
afterEach(async () => {
  for (const person of people.splice(0)) person.stop();
  await server?.close();
});

it('lets people find, leave, upgrade and ask to enter rooms with matrix-js-sdk, and talk in threads', async () => {
  server = await startLoopbackServer();
  const [alice, bob] = [await client('alice'), await client('bob')];
  const { room_id: square } = await alice.createRoom({
    preset: sdk.Preset.PublicChat,
    visibility: sdk.Visibility.Public,
    room_alias_name: 'square',
    name: 'Town square',
  });
  const { chunk } = await bob.publicRooms({ limit: 10 });
  expect(chunk).toMatchObject([{ room_id: square, name: 'Town square', num_joined_members: 1 }]);
  await bob.joinRoom('#square:localhost');

  const { event_id: root } = await alice.sendTextMessage(square, 'root');
  await bob.sendTextMessage(square, root, 'in the thread');
  await bob.sendEvent(square, sdk.EventType.Reaction, {
    'm.relates_to': { rel_type: sdk.RelationType.Annotation, event_id: root, key: '👍' },
  });
  await eventually('the message in the thread', () => alice.getRoom(square)?.getThread(root)?.length === 1);
  const reactions = await alice.relations(square, root, sdk.RelationType.Annotation, sdk.EventType.Reaction);
  expect(reactions.events.map((event) => event.getSender())).toEqual(['@bob:localhost']);
  const threads = await alice.createThreadListMessagesRequest(square, null, 10);
  expect(threads.chunk.map((event) => event.event_id)).toEqual([root]);
  const latest = await alice.timestampToEvent(square, Date.now() + 60_000, sdk.Direction.Backward);
  expect(latest.event_id).toBe(alice.getRoom(square)?.getLiveTimeline().getEvents().at(-1)?.getId());
  await eventually('the presence', () => alice.getUser('@bob:localhost')?.presence === 'online');

  const { replacement_room: successor } = await alice.upgradeRoom(square, '11');
  await eventually(
    'the tombstone',
    () => bob.getRoom(square)?.currentState.getStateEvents('m.room.tombstone', '')?.getContent()['replacement_room'],
  );
  await bob.joinRoom('#square:localhost');
  await eventually('the new room', () => bob.getRoom(successor)?.getMyMembership() === 'join');
  await bob.leave(square);
  await bob.forget(square);
  expect(bob.getRoom(square)).toBeNull();

  const { room_id: club } = await alice.createRoom({
    initial_state: [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }],
  });
  await bob.knockRoom(club, { reason: 'please' });
  await eventually('the knock', () => alice.getRoom(club)?.getMember('@bob:localhost')?.membership === 'knock');
  await alice.invite(club, '@bob:localhost');
  await eventually('the invitation', () => bob.getRoom(club)?.getMyMembership() === 'invite');
  await bob.setIgnoredUsers(['@alice:localhost']);
  await eventually('the ignored user', () => bob.isUserIgnored('@alice:localhost'));
}, 120_000);

async function client(name: string): Promise<sdk.MatrixClient> {
  if (server === undefined) throw new Error('the server does not run');
  const options = { name, password: 'correct horse battery', initialSyncLimit: 20, threadSupport: true };
  const person = await Person.register(server.url, options);
  people.push(person);
  return person.client;
}
