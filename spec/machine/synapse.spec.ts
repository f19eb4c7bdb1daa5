/** What users of ours and of a Synapse do together, each journey once from here and once from there. Needs root and Debian's matrix-synapse. */
import { EventType, JoinRule, Preset, SyncState } from 'matrix-js-sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CryptoPerson, verifyByEmoji } from '../journeys/support/crypto-person.ts';
import { eventually } from '../journeys/support/eventually.ts';
import { invitation, knowsDevices, membership, seeEachOther, sees, serverOf, texts } from './support/people.ts';
import { allTexts, createRoom, joinRules, leave, openRoom } from './support/people-of-two.ts';
import {
  type EitherServer,
  login,
  register,
  startVecheAndSynapse,
  type VecheAndSynapse,
} from './support/veche-and-synapse.ts';

let servers: VecheAndSynapse;
const people: CryptoPerson[] = [];
let registered = 0;
beforeAll(async () => {
  servers = await startVecheAndSynapse();
});
afterEach(() => {
  for (const person of people.splice(0)) person.stop();
});
afterAll(() => servers?.close());

async function started(person: Promise<CryptoPerson>): Promise<CryptoPerson> {
  people.push(await person);
  return person;
}

const person = (server: EitherServer): Promise<CryptoPerson> => started(register(server, `person${++registered}`));

describe.each([
  ['veche', 'synapse'],
  ['synapse', 'veche'],
] as const)('users of %s and guests of %s', (here, there) => {
  let owner: CryptoPerson;
  let guest: CryptoPerson;
  beforeEach(async () => {
    owner = await person(servers[here]);
    guest = await person(servers[there]);
  });

  it('talk in a public room that has an alias', async () => {
    const roomId = await openRoom(owner, guest);
    const said: string[] = [];
    for (let turn = 1; turn <= 3; turn++)
      for (const speaker of [owner, guest]) {
        const body = `${turn} of ${speaker.userId}`;
        await speaker.say(roomId, body);
        said.push(body);
        for (const reader of [owner, guest]) await sees(reader, roomId, body);
      }
    for (const reader of [owner, guest]) expect(texts(reader, roomId)).toEqual(said);
  });

  it('accept invitations, decline them, and have them withdrawn', async () => {
    const { room_id: roomId } = await owner.client.createRoom({ preset: Preset.PrivateChat, name: 'the office' });
    await owner.client.invite(roomId, guest.userId);
    await invitation(guest, roomId);
    expect(guest.room(roomId).name).toBe('the office');
    await guest.client.leave(roomId);
    await membership(owner, roomId, guest.userId, 'leave');

    await owner.client.invite(roomId, guest.userId);
    await invitation(guest, roomId);
    await owner.client.kick(roomId, guest.userId, 'a mistake');
    await eventually('the withdrawal', () => guest.client.getRoom(roomId)?.getMyMembership() === 'leave');

    await owner.client.invite(roomId, guest.userId);
    await invitation(guest, roomId);
    await guest.client.joinRoom(roomId);
    await membership(owner, roomId, guest.userId, 'join');
    await membership(guest, roomId, owner.userId, 'join');
    await guest.say(roomId, 'here I am');
    await sees(owner, roomId, 'here I am');
    await owner.say(roomId, 'welcome');
    await sees(guest, roomId, 'welcome');
  });

  it('hear of receipts, typing, presence, redactions and names', async () => {
    const roomId = await openRoom(owner, guest);
    for (const [one, other] of [
      [owner, guest],
      [guest, owner],
    ] as const) {
      await one.say(roomId, `of ${one.userId}`);
      const event = await sees(other, roomId, `of ${one.userId}`);
      const eventId = event.getId() ?? '';
      await other.client.sendReadReceipt(event);
      await eventually('the receipt', () => one.room(roomId).hasUserReadEvent(other.userId, eventId));

      await one.client.sendTyping(roomId, true, 30_000);
      await eventually('somebody to type', () => other.room(roomId).getMember(one.userId)?.typing);
      await one.client.sendTyping(roomId, false, 0);
      await eventually('nobody to type', () => other.room(roomId).getMember(one.userId)?.typing === false);

      await one.client.setPresence({ presence: 'online', status_msg: `status of ${one.userId}` });
      await eventually(
        'the status',
        () => other.client.getUser(one.userId)?.presenceStatusMsg === `status of ${one.userId}`,
      );

      await one.client.redactEvent(roomId, eventId);
      await eventually('the redaction', () => event.isRedacted());
      await one.client.setDisplayName(`New name of ${one.userId}`);
      await eventually(
        'the name',
        () => other.room(roomId).getMember(one.userId)?.rawDisplayName === `New name of ${one.userId}`,
      );
      expect((await other.client.getProfileInfo(one.userId)).displayname).toBe(`New name of ${one.userId}`);
    }
  });

  it('knock, think better of it, are turned away, and are let in', async () => {
    const roomId = await createRoom(owner, [joinRules({ join_rule: JoinRule.Knock })]);
    const via = { viaServers: [serverOf(owner)] };
    await guest.client.knockRoom(roomId, { ...via, reason: 'may I?' });
    await membership(owner, roomId, guest.userId, 'knock');
    expect(owner.room(roomId).getMember(guest.userId)?.events.member?.getContent()['reason']).toBe('may I?');
    await leave(guest, roomId);
    // Synapse tells no other server that a knock was taken back.
    if (there === 'veche') await membership(owner, roomId, guest.userId, 'leave');

    await guest.client.knockRoom(roomId, via);
    await membership(owner, roomId, guest.userId, 'knock');
    await owner.client.kick(roomId, guest.userId, 'not now');
    await membership(owner, roomId, guest.userId, 'leave');
    // Nor does it tell one that is not in the room that a knock was turned away, or heed it when it is told.
    await leave(guest, roomId);

    await guest.client.knockRoom(roomId, via);
    await membership(owner, roomId, guest.userId, 'knock');
    await owner.client.invite(roomId, guest.userId);
    await invitation(guest, roomId);
    await guest.client.joinRoom(roomId);
    await seeEachOther(roomId, [owner, guest]);
  });

  it('join restricted rooms as members of a space, and not otherwise', async () => {
    const spaceId = await openRoom(owner, guest);
    const restriction = { join_rule: JoinRule.Restricted, allow: [{ type: 'm.room_membership', room_id: spaceId }] };
    const roomId = await createRoom(owner, [joinRules(restriction)]);
    const stranger = await person(servers[there]);
    const via = { viaServers: [serverOf(owner)] };
    await expect(stranger.client.joinRoom(roomId, via)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await guest.client.joinRoom(roomId, via);
    await seeEachOther(roomId, [owner, guest]);
    expect(
      guest.room(roomId).getMember(guest.userId)?.events.member?.getContent()['join_authorised_via_users_server'],
    ).toBe(owner.userId);
    await guest.say(roomId, 'I belong here');
    await sees(owner, roomId, 'I belong here');
  });

  it('follow a room into the one that replaces it', async () => {
    const roomId = await openRoom(owner, guest, '11');
    const { replacement_room: newId } = await owner.client.upgradeRoom(roomId, '12');
    await eventually('the tombstone', () => {
      const tombstone = guest.room(roomId).currentState.getStateEvents('m.room.tombstone', '');
      return tombstone?.getContent()['replacement_room'] === newId;
    });
    await guest.client.joinRoom(newId, { viaServers: [serverOf(owner)] });
    await seeEachOther(newId, [owner, guest]);
    expect(guest.room(newId).findPredecessor()?.roomId).toBe(roomId);
    expect(guest.room(newId).getVersion()).toBe('12');
    await guest.say(newId, 'the same people');
    await sees(owner, newId, 'the same people');
  });

  it('are banned, and may come back when that is over', async () => {
    const roomId = await openRoom(owner, guest);
    await owner.client.ban(roomId, guest.userId, 'for an hour');
    await membership(guest, roomId, guest.userId, 'ban');
    const via = { viaServers: [serverOf(owner)] };
    await expect(guest.client.joinRoom(roomId, via)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await owner.client.unban(roomId, guest.userId);
    await membership(owner, roomId, guest.userId, 'leave');
    await guest.client.joinRoom(roomId, via);
    await seeEachOther(roomId, [owner, guest]);
  });

  it('talk in an encrypted room, verify each other, and hear of devices that come and go', async () => {
    const keys = await Promise.all([owner.setUpEncryption(), guest.setUpEncryption()]);
    expect(keys).toHaveLength(2);
    const algorithm = { algorithm: 'm.megolm.v1.aes-sha2' };
    const roomId = await createRoom(owner, [{ type: EventType.RoomEncryption, state_key: '', content: algorithm }]);
    await owner.client.invite(roomId, guest.userId);
    await invitation(guest, roomId);
    await guest.client.joinRoom(roomId);
    await seeEachOther(roomId, [owner, guest]);
    await eventually('the encryption', () => guest.client.getRoom(roomId)?.hasEncryptionStateEvent());
    for (const [one, other] of [
      [owner, guest],
      [guest, owner],
    ] as const) {
      await one.say(roomId, `secret of ${one.userId}`);
      await other.reads(roomId, `secret of ${one.userId}`);
    }
    const [asking, asked] = [
      await owner.crypto.requestVerificationDM(guest.userId, roomId),
      guest.verificationRequest(),
    ];
    expect(await verifyByEmoji(asking, await asked)).toHaveLength(7);
    for (const [one, other] of [
      [owner, guest],
      [guest, owner],
    ] as const) {
      await eventually('the signature', async () =>
        (await one.crypto.getUserVerificationStatus(other.userId)).isCrossSigningVerified(),
      );
      const laptop = await started(login(serverNamed(serverOf(other)), localpartOf(other)));
      await knowsDevices(one, other.userId, 2);
      await one.say(roomId, `for both of ${other.userId}`);
      for (const device of [laptop, other]) await device.reads(roomId, `for both of ${other.userId}`);
      await other.removeDevice(laptop.deviceId);
      laptop.stop();
      await knowsDevices(one, other.userId, 1);
      await one.say(roomId, `without the laptop of ${other.userId}`);
      await other.reads(roomId, `without the laptop of ${other.userId}`);
    }
  });

  it('read back what was said before they came, and while their server was away', { timeout: 900_000 }, async () => {
    const room = await createRoom(owner, [joinRules({ join_rule: JoinRule.Public })]);
    const before = Array.from({ length: 60 }, (_, index) => `before ${index}`);
    for (const body of before) await owner.say(room, body);
    await guest.client.joinRoom(room, { viaServers: [serverOf(owner)] });
    await seeEachOther(room, [owner, guest]);
    expect(await allTexts(guest, room)).toEqual(before);

    await servers[there].stop();
    const meanwhile = Array.from({ length: 60 }, (_, index) => `meanwhile ${index}`);
    for (const body of meanwhile) await owner.say(room, body);
    await servers[there].start();
    guest.client.retryImmediately();
    await eventually('the guest to be connected', () => guest.client.getSyncState() === SyncState.Syncing);
    await guest.say(room, 'I was away');
    await sees(owner, room, 'I was away');
    await owner.say(room, 'welcome back');
    await eventually('the answer', () => texts(guest, room).includes('welcome back'), 300_000);
    const all = await allTexts(guest, room);
    expect(all.filter((body) => body.startsWith('before'))).toEqual(before);
    expect(all.filter((body) => body.startsWith('meanwhile'))).toEqual(meanwhile);
  });
});

const localpartOf = ({ userId }: CryptoPerson): string => userId.slice(1, userId.indexOf(':'));

function serverNamed(name: string): EitherServer {
  return servers.veche.serverName === name ? servers.veche : servers.synapse;
}
