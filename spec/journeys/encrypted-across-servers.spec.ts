/**
 * What device lists across servers are for, by way of an unmodified client and its Rust crypto: two users of two servers in an
 * encrypted room, who verify each other; a device that comes, one that goes, and a line that is cut meanwhile.
 */
import type { MatrixEvent } from 'matrix-js-sdk';
import { afterEach, expect, it } from 'vitest';
import { type FederatedServers, startFederatedServers } from '../support/federated-servers.ts';
import { CryptoPerson, type CryptoPersonOptions, verifyByEmoji } from './support/crypto-person.ts';
import { eventually } from './support/eventually.ts';

let servers: FederatedServers | undefined;
const people: CryptoPerson[] = [];
afterEach(async () => {
  for (const person of people.splice(0)) person.stop();
  await servers?.close();
  servers = undefined;
});

it('lets users of two servers talk in an encrypted room, on devices that come and go', async () => {
  const network = (servers = await startFederatedServers(['one.test', 'two.test']));
  const optionsOf = (server: string, name: string): CryptoPersonOptions => ({
    baseUrl: network.get(server).url,
    name,
    password: 'correct horse battery',
  });
  const started = (person: CryptoPerson): CryptoPerson => {
    people.push(person);
    return person;
  };
  const alice = started(await CryptoPerson.register(optionsOf('one.test', 'alice')));
  const bob = started(await CryptoPerson.register(optionsOf('two.test', 'bob')));
  await alice.setUpEncryption();
  await bob.setUpEncryption();
  const roomId = await roomOfBoth(alice, bob);
  await alice.say(roomId, 'can you read this?');
  await bob.reads(roomId, 'can you read this?');
  await bob.say(roomId, 'yes, over there');
  await alice.reads(roomId, 'yes, over there');

  // They compare emoji by messages that go through both servers.
  const [asking, asked] = [await alice.crypto.requestVerificationDM(bob.userId, roomId), bob.verificationRequest()];
  expect(await verifyByEmoji(asking, await asked)).toHaveLength(7);
  await eventually(
    'bob to be verified',
    async () => (await alice.crypto.getUserVerificationStatus(bob.userId)).isCrossSigningVerified() || undefined,
  );

  // A device that bob's other one has verified is one that alice trusts.
  const laptop = started(await CryptoPerson.login(optionsOf('two.test', 'bob')));
  const [ownRequest, seenRequest] = [await laptop.crypto.requestOwnUserVerification(), bob.verificationRequest()];
  expect(await verifyByEmoji(ownRequest, await seenRequest)).toHaveLength(7);
  await eventually(
    'the laptop to be signed',
    async () =>
      (await alice.crypto.getDeviceVerificationStatus(laptop.userId, laptop.deviceId))?.crossSigningVerified ||
      undefined,
  );
  await alice.say(roomId, 'for both devices');
  const forBoth = await laptop.reads(roomId, 'for both devices');
  await bob.reads(roomId, 'for both devices');

  // The laptop is lost while the servers do not reach each other; then nobody encrypts for it any more.
  network.cut('one.test', 'two.test');
  await bob.removeDevice(laptop.deviceId);
  laptop.stop();
  network.mend('one.test', 'two.test');
  await bob.say(roomId, 'it was stolen');
  await alice.reads(roomId, 'it was stolen');
  await eventually('alice to hear of it', async () => (await alice.knownDevices(bob.userId)).length === 1 || undefined);
  await alice.say(roomId, 'not for the lost one');
  expect(sessionOf(await bob.reads(roomId, 'not for the lost one'))).not.toBe(sessionOf(forBoth));
}, 300_000);

/** Made by one of them, who invites the other. */
async function roomOfBoth(owner: CryptoPerson, guest: CryptoPerson): Promise<string> {
  const content = { algorithm: 'm.megolm.v1.aes-sha2' };
  const { room_id: roomId } = await owner.client.createRoom({
    invite: [guest.userId],
    initial_state: [{ type: 'm.room.encryption', state_key: '', content }],
  });
  await eventually('the invitation', () => guest.client.getRoom(roomId)?.getMyMembership() === 'invite' || undefined);
  await guest.client.joinRoom(roomId, { viaServers: ['one.test'] });
  const isJoined = () => owner.client.getRoom(roomId)?.getMember(guest.userId)?.membership === 'join' || undefined;
  await eventually('the guest', isJoined);
  await eventually('the room', () => guest.client.getRoom(roomId)?.hasEncryptionStateEvent() || undefined);
  return roomId;
}

const sessionOf = (event: MatrixEvent): unknown => event.getWireContent()['session_id'];
