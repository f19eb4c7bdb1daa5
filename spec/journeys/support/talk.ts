/**
 * Two people talk in a room while their server is killed twice. The same steps run under Node and in a browser; what came of
 * them is data, and the specs say what it should be.
 */
import type { MatrixEvent } from 'matrix-js-sdk';
import { Preset, RelationType } from 'matrix-js-sdk';
import { eventually } from './eventually.ts';
import { bodyOf, liveEvents, Person } from './person.ts';

export interface World {
  readonly baseUrl: string;
  /** SIGKILL; resolves when the server is gone. */
  killServer(): Promise<void>;
  /** On the data that is there; resolves when the server is ready. */
  startServer(): Promise<void>;
}

export interface Talk {
  readonly roomName: string | undefined;
  /** What Bob was told about the invitation: who sent it, to which room. */
  readonly invitation: { readonly from: string | undefined; readonly roomName: string };
  /** Message ids by text, as the senders were told. */
  readonly acknowledged: Readonly<Record<string, string>>;
  /** The order of the messages as each of them has it, from the first to the last. */
  readonly seenByAlice: readonly string[];
  readonly seenByBob: readonly string[];
  /** The same on a device that logged in at the end and paged back. */
  readonly pagedBack: readonly string[];
  readonly resent: number;
  /** Seen by the other person. */
  readonly edited: string;
  readonly reaction: { readonly key: string; readonly senders: readonly string[] };
  readonly redacted: { readonly content: object; readonly by: string | undefined };
  readonly unread: { readonly before: number; readonly after: number };
  readonly read: { readonly before: boolean; readonly after: boolean };
  /** Of Bob, as Alice saw it: at first, when he typed, when he had stopped. */
  readonly typing: readonly boolean[];
  /** What Alice sent, and Bob got, with both parked in a sync over the second restart. */
  readonly afterQuietRestart: string;
}

export const messagesEach = 100;
const password = 'correct horse battery';

export async function talk(world: World): Promise<Talk> {
  const people = ['alice', 'bob'].map((name) =>
    Person.register(world.baseUrl, { name, password, initialSyncLimit: 10 }),
  );
  const [alice, bob] = (await Promise.all(people)) as [Person, Person];
  const { roomId, invitation } = await meet(alice, bob);
  const exchanged = await exchange(world, alice, bob, roomId);
  const facts = {
    ...(await editReactRedact(alice, bob, roomId, exchanged.acknowledged)),
    ...(await readAndType(alice, bob, roomId)),
    ...(await restartQuietly(world, alice, bob, roomId)),
  };
  const device = await Person.login(world.baseUrl, { name: 'bob', password, initialSyncLimit: 3 });
  const histories = {
    seenByAlice: await alice.wholeHistory(roomId, 30),
    seenByBob: await bob.wholeHistory(roomId, 30),
    pagedBack: await device.wholeHistory(roomId, 30),
  };
  const roomName = device.room(roomId).name;
  for (const person of [alice, bob, device]) person.stop();
  return { roomName, invitation, ...exchanged, ...facts, ...histories };
}

async function meet(alice: Person, bob: Person): Promise<{ roomId: string; invitation: Talk['invitation'] }> {
  const { room_id: roomId } = await alice.client.createRoom({ preset: Preset.PrivateChat, name: 'Veche' });
  await alice.client.invite(roomId, bob.userId);
  const invited = await eventually('the invitation', () => {
    const room = bob.client.getRoom(roomId);
    return room?.getMyMembership() === 'invite' ? room : undefined;
  });
  const invitation = { from: invited.getMember(bob.userId)?.events.member?.getSender(), roomName: invited.name };
  await bob.client.joinRoom(roomId);
  await eventually('both to see Bob in the room', () =>
    [alice, bob].every(({ client }) => client.getRoom(roomId)?.getMember(bob.userId)?.membership === 'join')
      ? true
      : undefined,
  );
  return { roomId, invitation };
}

/** Both send at the same time, and the server is killed in the middle of it. */
async function exchange(
  world: World,
  alice: Person,
  bob: Person,
  roomId: string,
): Promise<Pick<Talk, 'acknowledged' | 'resent'>> {
  const acknowledged: Record<string, string> = {};
  const speak = async (person: Person): Promise<void> => {
    for (let number = 1; number <= messagesEach; number++) {
      const body = `${person.name} ${number}`;
      acknowledged[body] = await person.say(roomId, body);
    }
  };
  const disaster = async (): Promise<void> => {
    await eventually('half of the messages', () => Object.keys(acknowledged).length >= messagesEach || undefined);
    await restart(world, alice, bob);
  };
  await Promise.all([speak(alice), speak(bob), disaster()]);
  for (const person of [alice, bob])
    await eventually(
      `${person.name} to have the last messages`,
      () =>
        ['alice', 'bob'].every((name) => find(person, roomId, acknowledged[`${name} ${messagesEach}`])) || undefined,
    );
  return { acknowledged, resent: alice.resent + bob.resent };
}

async function restart(world: World, alice: Person, bob: Person): Promise<void> {
  await world.killServer();
  await Promise.all([alice.noticesLoss(), bob.noticesLoss()]);
  await world.startServer();
  await Promise.all([alice.reconnects(), bob.reconnects()]);
}

async function editReactRedact(
  alice: Person,
  bob: Person,
  roomId: string,
  acknowledged: Talk['acknowledged'],
): Promise<Pick<Talk, 'edited' | 'reaction' | 'redacted'>> {
  const idOf = (body: string): string => acknowledged[body] ?? '';
  const [toEdit, toLike, toRedact] = [messagesEach, messagesEach - 1, messagesEach - 2].map((n) => idOf(`alice ${n}`));
  if (toEdit === undefined || toLike === undefined || toRedact === undefined) throw new Error('too few messages');
  const relatesTo = { rel_type: RelationType.Replace, event_id: toEdit };
  await alice.client.sendMessage(roomId, {
    msgtype: 'm.text',
    body: '* edited',
    'm.new_content': { msgtype: 'm.text', body: 'edited' },
    'm.relates_to': relatesTo,
  } as never);
  await bob.client.sendEvent(
    roomId,
    'm.reaction' as never,
    {
      'm.relates_to': { rel_type: RelationType.Annotation, event_id: toLike, key: '👍️' },
    } as never,
  );
  await alice.client.redactEvent(roomId, toRedact, undefined, { reason: 'a slip' });

  const edited = await eventually('Bob to see the edit', () => {
    const event = find(bob, roomId, toEdit);
    return event?.replacingEvent() ? bodyOf(event) : undefined;
  });
  const reactions = await eventually('Alice to see the reaction', () => {
    const relations = alice
      .room(roomId)
      .relations.getChildEventsForEvent(toLike, RelationType.Annotation, 'm.reaction');
    return relations?.getSortedAnnotationsByKey()?.[0];
  });
  const redacted = await eventually('Bob to see the redaction', () => {
    const event = find(bob, roomId, toRedact);
    return event?.isRedacted() ? event : undefined;
  });
  return {
    edited,
    reaction: { key: reactions[0], senders: [...reactions[1]].map((event) => event.getSender() ?? '') },
    redacted: { content: redacted.getContent(), by: redacted.getRedactionEvent()?.sender },
  };
}

async function readAndType(
  alice: Person,
  bob: Person,
  roomId: string,
): Promise<Pick<Talk, 'unread' | 'read' | 'typing'>> {
  const id = await alice.say(roomId, 'read this');
  const event = await eventually('Bob to have what he shall read', () => find(bob, roomId, id));
  const unreadOfBob = (): number => bob.room(roomId).getUnreadNotificationCount();
  const hasRead = (): boolean => alice.room(roomId).hasUserReadEvent(bob.userId, id);
  const before = { unread: unreadOfBob(), read: hasRead() };
  await bob.client.sendReadReceipt(event);
  await eventually('Alice to see that Bob has read it', () => hasRead() || undefined);
  await eventually('Bob to have nothing unread', () => unreadOfBob() === 0 || undefined);

  const isTyping = (): boolean => alice.room(roomId).getMember(bob.userId)?.typing === true;
  const typing = [isTyping()];
  await bob.client.sendTyping(roomId, true, 60_000);
  typing.push(await eventually('Alice to see Bob typing', () => isTyping() || undefined));
  await bob.client.sendTyping(roomId, false, 0);
  await eventually('Alice to see that Bob has stopped', () => !isTyping() || undefined);
  typing.push(isTyping());
  return {
    unread: { before: before.unread, after: unreadOfBob() },
    read: { before: before.read, after: hasRead() },
    typing,
  };
}

async function restartQuietly(
  world: World,
  alice: Person,
  bob: Person,
  roomId: string,
): Promise<Pick<Talk, 'afterQuietRestart'>> {
  await restart(world, alice, bob);
  const id = await alice.say(roomId, 'still there?');
  const event = await eventually('Bob to hear from Alice again', () => find(bob, roomId, id));
  return { afterQuietRestart: bodyOf(event) };
}

const find = (person: Person, roomId: string, eventId = ''): MatrixEvent | undefined =>
  liveEvents(person.room(roomId)).find((event) => event.getId() === eventId);
