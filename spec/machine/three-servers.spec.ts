/**
 * Three servers as people run them, over real TLS with an authority of their own, each in a network namespace; people on them with
 * matrix-js-sdk and its Rust crypto. One server is cut off for two minutes and killed meanwhile. Needs root, iproute2 and openssl.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { SyncState } from 'matrix-js-sdk';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CryptoPerson, verifyByEmoji } from '../journeys/support/crypto-person.ts';
import { eventually } from '../journeys/support/eventually.ts';
import { currentState } from '../journeys/support/reader.ts';
import { encryptAttachment } from '../support/encrypted-files.ts';
import { MediaClient } from '../support/media-requests.ts';
import { succeeded, TestClient } from '../support/test-client.ts';
import { Talker } from './support/cut-off.ts';
import { knowsDevices, sees, texts } from './support/people.ts';
import { directChat, encryptedRoom, login, openRoom, register } from './support/people-of-three.ts';
import { misleadingName, serverNames, ThreeServers } from './support/three-servers.ts';

const three = 'three.test:8451';
let servers: ThreeServers;
let anna: CryptoPerson;
let boris: CryptoPerson;
let clara: CryptoPerson;
const people: CryptoPerson[] = [];
const started = async (person: Promise<CryptoPerson>): Promise<CryptoPerson> => {
  people.push(await person);
  return person;
};

beforeAll(async () => {
  servers = await ThreeServers.start();
  anna = await started(register(servers, 'one.test', 'anna'));
  boris = await started(register(servers, 'two.test', 'boris'));
  clara = await started(register(servers, three, 'clara'));
  for (const person of people) await person.setUpEncryption();
});
afterAll(async () => {
  for (const person of people) person.stop();
  await servers?.close();
});

it('finds servers by a well-known file, SRV records and a name with a port, where certificates have their names', async () => {
  const askers = await Promise.all(serverNames.map((name) => TestClient.register(servers.of(name), 'asker')));
  for (const asker of askers)
    for (const { userId } of people)
      expect(await succeeded(asker.get(`/profile/${userId}`))).toMatchObject({ displayname: expect.any(String) });
  for (const asker of askers) {
    const { status, json } = await asker.get(`/profile/@anna:${misleadingName}`);
    expect([status, String(json['error'])]).toEqual([404, expect.stringContaining('does not match certificate')]);
  }
});

it('brings a talk to all in one order, with receipts, typing, presence, redactions and names', async () => {
  const roomId = await openRoom('square', anna, [boris, clara]);
  const said: string[] = [];
  for (let turn = 1; turn <= 5; turn++)
    for (const speaker of [anna, boris, clara]) {
      const [last] = said.slice(-1);
      if (last !== undefined) await sees(speaker, roomId, last);
      said.push(`${turn} of ${speaker.userId}`);
      await speaker.say(roomId, said.at(-1) ?? '');
    }
  for (const person of [anna, boris, clara]) {
    await sees(person, roomId, said.at(-1) ?? '');
    expect(texts(person, roomId)).toEqual(said);
  }

  const last = await sees(boris, roomId, said.at(-1) ?? '');
  await boris.client.sendReadReceipt(last);
  for (const person of [anna, clara])
    await eventually(`the receipt at ${person.userId}`, () =>
      person.room(roomId).hasUserReadEvent(boris.userId, last.getId() ?? ''),
    );
  await clara.client.sendTyping(roomId, true, 30_000);
  for (const person of [anna, boris])
    await eventually('somebody to type', () => person.room(roomId).getMember(clara.userId)?.typing);
  await clara.client.sendTyping(roomId, false, 0);
  for (const person of [anna, boris])
    await eventually('nobody to type', () => person.room(roomId).getMember(clara.userId)?.typing === false);
  await tellStatus(anna, 'at lunch', [boris, clara]);

  await clara.client.redactEvent(roomId, last.getId() ?? '');
  for (const person of [anna, boris])
    await eventually('the redaction', () =>
      person
        .room(roomId)
        .findEventById(last.getId() ?? '')
        ?.isRedacted(),
    );
  await boris.client.setDisplayName('Boris of two');
  for (const person of [anna, clara])
    await eventually('the name', () => person.room(roomId).getMember(boris.userId)?.rawDisplayName === 'Boris of two');
});

it('lets two people who have never met talk in a direct chat and verify each other', async () => {
  const roomId = await directChat(clara, anna);
  await clara.say(roomId, 'is that you?');
  await anna.reads(roomId, 'is that you?');
  await anna.say(roomId, 'let us compare emoji');
  await clara.reads(roomId, 'let us compare emoji');
  const [asking, asked] = [await clara.crypto.requestVerificationDM(anna.userId, roomId), anna.verificationRequest()];
  expect(await verifyByEmoji(asking, await asked)).toHaveLength(7);
  for (const [person, other] of [
    [clara, anna],
    [anna, clara],
  ] as const)
    await eventually('the signature', async () =>
      (await person.crypto.getUserVerificationStatus(other.userId)).isCrossSigningVerified(),
    );
});

it('tells everybody in an encrypted room of devices that come and go', async () => {
  const roomId = await encryptedRoom(anna, [boris, clara]);
  for (const person of [anna, boris, clara]) await person.say(roomId, `from ${person.userId}`);
  for (const reader of [anna, boris, clara])
    for (const { userId } of [anna, boris, clara]) await reader.reads(roomId, `from ${userId}`);

  const laptop = await started(login(servers, 'two.test', 'boris'));
  for (const person of [anna, clara]) await knowsDevices(person, boris.userId, 2);
  await clara.say(roomId, 'for both devices');
  for (const device of [laptop, boris, anna]) await device.reads(roomId, 'for both devices');
  await boris.removeDevice(laptop.deviceId);
  laptop.stop();
  for (const person of [anna, clara]) await knowsDevices(person, boris.userId, 1);
  await clara.say(roomId, 'without the lost one');
  await boris.reads(roomId, 'without the lost one');
});

it('brings files, thumbnails and encrypted files to users of other servers', async () => {
  const [owner, ...others] = await Promise.all(
    serverNames.map((name) => MediaClient.register(servers.of(name), 'owner')),
  );
  const large = randomBytes(3_000_000);
  const { bytes: encrypted } = await encryptAttachment(large);
  const image = await sharp({ create: { width: 800, height: 600, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const uris: string[] = [];
  for (const [bytes, type] of [
    [large, 'application/octet-stream'],
    [encrypted, 'application/octet-stream'],
    [image, 'image/png'],
  ] as const)
    uris.push((await owner?.upload(bytes, type, 'file')) ?? '');
  for (const other of others) {
    for (const [index, bytes] of [large, encrypted, image].entries()) {
      const reply = await other.download(uris[index] ?? '');
      expect([reply.status, hashOf(reply.bytes)]).toEqual([200, hashOf(bytes)]);
    }
    const below = (uris[2] ?? '').slice('mxc://'.length);
    const size = '?width=96&height=96&method=crop';
    const thumbnail = await other.request('GET', `/_matrix/client/v1/media/thumbnail/${below}${size}`);
    expect(await sharp(thumbnail.bytes).metadata()).toMatchObject({ width: 96, height: 96 });
  }
});

it(
  'brings everything, in order, to and from a server that was cut off for two minutes and killed',
  { timeout: 1_200_000 },
  async () => {
    const hall = await openRoom('hall', boris, [anna, clara]);
    const vault = await encryptedRoom(anna, [boris, clara]);
    for (const person of [anna, boris, clara]) await person.say(vault, `before, ${person.userId}`);
    for (const reader of [anna, boris, clara])
      for (const { userId } of [anna, boris, clara]) await reader.reads(vault, `before, ${userId}`);
    const talkers = await Promise.all(
      ([anna, boris, clara] as const).map((person, index) =>
        Talker.of(person.userId, servers.of(serverNames[index]!), person.client.getAccessToken() ?? '', hall),
      ),
    );
    const talks = Promise.all(talkers.map((talker) => talker.run()));
    talks.catch(() => undefined);
    try {
      const laptop = await outage(talkers.at(-1), { hall, vault });
      await delay(5_000);
      for (const talker of talkers) talker.stopTalking();
      await everythingIsHeard(talkers);
      await everythingElseIsThere(laptop, { hall, vault });
    } finally {
      for (const talker of talkers) talker.stopTalking();
      for (const talker of talkers) talker.stopReading();
    }
    await talks;
    for (const reader of talkers)
      for (const { name, said } of talkers)
        expect(reader.heard.filter((body) => body.startsWith(`${name} `))).toEqual(said);
    const states = talkers.map(async ({ link }, index) =>
      currentState(link, people[index]?.client.getAccessToken() ?? '', hall),
    );
    const [first, ...others] = await Promise.all(states);
    for (const state of others) expect(state).toEqual(first);
  },
);

interface Rooms {
  readonly hall: string;
  readonly vault: string;
}

/** Two minutes; resolves with a device that Boris has since then. */
async function outage(talker: Talker | undefined, { hall, vault }: Rooms): Promise<CryptoPerson> {
  servers.cut(three);
  await delay(10_000);
  await anna.say(vault, 'from Anna, while three is away');
  await clara.say(vault, 'from Clara, while cut off');
  await boris.reads(vault, 'from Anna, while three is away');
  await anna.client.setRoomName(hall, 'Hall, renamed');
  await clara.client.setRoomTopic(hall, 'What Clara wanted');
  const laptop = await started(login(servers, 'two.test', 'boris'));
  await knowsDevices(anna, boris.userId, 2);
  await anna.say(vault, 'for the laptop, too');
  await laptop.reads(vault, 'for the laptop, too');
  await delay(20_000);

  talker?.link.holdBack();
  await servers.of(three).kill();
  await delay(10_000);
  await servers.of(three).start();
  talker?.link.letPass();
  clara.client.retryImmediately();
  await eventually('Clara to be connected', () => clara.client.getSyncState() === SyncState.Syncing);
  await clara.say(vault, 'from Clara, after the crash');
  await boris.client.setDisplayName('Boris, renamed');
  await delay(70_000);
  servers.mend(three);
  return laptop;
}

/** As long as it takes servers to try again what has failed for two minutes. */
async function everythingIsHeard(talkers: readonly Talker[]): Promise<void> {
  const mended = performance.now();
  for (const { name, heard } of talkers) console.log(`${name} has heard ${heard.length} messages so far`);
  await eventually(
    'everybody to hear everything',
    () => talkers.every((reader) => talkers.every(({ said }) => said.every((body) => reader.heard.includes(body)))),
    600_000,
  );
  const count = talkers.reduce((sum, { said }) => sum + said.length, 0);
  console.log(`all ${count} messages were there ${Math.round((performance.now() - mended) / 1_000)} s later`);
}

async function everythingElseIsThere(laptop: CryptoPerson, { hall, vault }: Rooms): Promise<void> {
  for (const body of ['from Anna, while three is away', 'for the laptop, too']) await clara.reads(vault, body);
  for (const reader of [anna, boris])
    for (const body of ['from Clara, while cut off', 'from Clara, after the crash']) await reader.reads(vault, body);
  await knowsDevices(clara, boris.userId, 2);
  await clara.say(vault, 'to all devices');
  for (const reader of [laptop, anna, boris]) await reader.reads(vault, 'to all devices');
  for (const person of [anna, boris, clara]) {
    await eventually('the name', () => person.room(hall).name === 'Hall, renamed');
    await eventually(
      'the topic',
      () =>
        person.room(hall).currentState.getStateEvents('m.room.topic', '')?.getContent()['topic'] ===
        'What Clara wanted',
    );
    await eventually('his name', () => person.room(hall).getMember(boris.userId)?.rawDisplayName === 'Boris, renamed');
  }
  const last = await anna.reads(vault, 'to all devices');
  await anna.client.sendReadReceipt(last);
  await eventually('the receipt', () => clara.room(vault).hasUserReadEvent(anna.userId, last.getId() ?? ''));
  await tellStatus(clara, 'here again', [anna, boris]);
}

async function tellStatus(person: CryptoPerson, status: string, watchers: readonly CryptoPerson[]): Promise<void> {
  await person.client.setPresence({ presence: 'online', status_msg: status });
  for (const { client, userId } of watchers)
    await eventually(`the status at ${userId}`, () => client.getUser(person.userId)?.presenceStatusMsg === status);
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
