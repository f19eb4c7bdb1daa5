/**
 * What end-to-end encryption is for, by way of an unmodified client and its Rust crypto: two users and three devices in an
 * encrypted room, cross-signing, verification by emoji, a backup of the keys, a device that is removed, and a server that is
 * killed.
 */
import type { MatrixEvent } from 'matrix-js-sdk';
import { afterEach, expect, it } from 'vitest';
import { ServerProcess } from '../support/server-process.ts';
import { requestJson } from '../support/test-server.ts';
import { CryptoPerson, type CryptoPersonOptions, verifyByEmoji } from './support/crypto-person.ts';
import { eventually } from './support/eventually.ts';

let server: ServerProcess | undefined;
const people: CryptoPerson[] = [];
afterEach(async () => {
  for (const person of people.splice(0)) person.stop();
  await server?.close();
  server = undefined;
});

it('lets two people talk in an encrypted room, on devices that come and go, over a crash', async () => {
  server = await ServerProcess.start();
  const optionsOf = (name: string): CryptoPersonOptions => ({
    baseUrl: server?.url ?? '',
    name,
    password: 'correct horse battery',
  });
  const started = (person: CryptoPerson): CryptoPerson => {
    people.push(person);
    return person;
  };

  const phone = started(await CryptoPerson.register(optionsOf('alice')));
  const bob = started(await CryptoPerson.register(optionsOf('bob')));
  const recoveryKey = await phone.setUpEncryption();
  await bob.setUpEncryption();
  const roomId = await encryptedRoom(phone, bob);
  await phone.say(roomId, 'can you read this?');
  const first = await bob.reads(roomId, 'can you read this?');
  await bob.say(roomId, 'yes, nobody else can');
  await phone.reads(roomId, 'yes, nobody else can');

  // Bob and Alice compare emoji, and her signature of his identity is kept for her alone.
  const [asking, asked] = [await phone.crypto.requestVerificationDM(bob.userId, roomId), bob.verificationRequest()];
  expect(await verifyByEmoji(asking, await asked)).toHaveLength(7);
  await eventually(
    'bob to be verified',
    async () => (await phone.crypto.getUserVerificationStatus(bob.userId)).isCrossSigningVerified() || undefined,
  );

  // A new device is verified by the old one, gets the secrets from it, and the history from the backup.
  const laptop = started(await CryptoPerson.login(optionsOf('alice')));
  const [ownRequest, seenRequest] = [await laptop.crypto.requestOwnUserVerification(), phone.verificationRequest()];
  expect(await verifyByEmoji(ownRequest, await seenRequest)).toHaveLength(7);
  await eventually(
    'the laptop to be signed',
    async () =>
      (await bob.crypto.getDeviceVerificationStatus(laptop.userId, laptop.deviceId))?.signedByOwner || undefined,
  );
  await eventually('the secrets', async () => (await laptop.crypto.getSessionBackupPrivateKey()) ?? undefined);
  await eventually('the backup', async () => (await laptop.crypto.restoreKeyBackup()).imported > 0 || undefined);
  await laptop.reads(roomId, 'can you read this?');
  await bob.say(roomId, 'for both devices');
  const forBoth = await laptop.reads(roomId, 'for both devices');
  await phone.reads(roomId, 'for both devices');
  expect(await bob.knownDevices(phone.userId)).toHaveLength(2);

  // The laptop is lost: nobody encrypts for it any more.
  await phone.removeDevice(laptop.deviceId);
  laptop.stop();
  await eventually('bob to hear of it', async () => (await bob.knownDevices(phone.userId)).length === 1 || undefined);
  await bob.say(roomId, 'not for the lost one');
  const afterLoss = await phone.reads(roomId, 'not for the lost one');
  expect(sessionOf(afterLoss)).not.toBe(sessionOf(forBoth));

  await server.killAndRestart();
  phone.client.retryImmediately();
  bob.client.retryImmediately();
  await phone.say(roomId, 'still here');
  await bob.reads(roomId, 'still here');
  const sessions = new Set(phone.room(roomId).getLiveTimeline().getEvents().map(sessionOf).filter(isThere));
  await eventually('all keys in the backup', async () => (await backedUp(phone)) >= sessions.size || undefined);

  // Whoever has the recovery key reads everything on a device that nobody has verified.
  const tablet = started(await CryptoPerson.login({ ...optionsOf('alice'), recoveryKey }));
  await eventually('the own keys', () => tablet.crypto.userHasCrossSigningKeys(tablet.userId, true));
  await tablet.crypto.bootstrapCrossSigning({});
  await tablet.crypto.loadSessionBackupPrivateKeyFromSecretStorage();
  await tablet.crypto.restoreKeyBackup();
  for (const body of ['can you read this?', 'yes, nobody else can', 'for both devices', 'not for the lost one'])
    await tablet.reads(roomId, body);
  await tablet.reads(roomId, 'still here');
  await bob.say(roomId, 'welcome back');
  await tablet.reads(roomId, 'welcome back');
  expect(first.isEncrypted()).toBe(true);
}, 300_000);

/** Made by one of them, who invites the other. */
async function encryptedRoom(owner: CryptoPerson, guest: CryptoPerson): Promise<string> {
  const content = { algorithm: 'm.megolm.v1.aes-sha2' };
  const { room_id: roomId } = await owner.client.createRoom({
    invite: [guest.userId],
    initial_state: [{ type: 'm.room.encryption', state_key: '', content }],
  });
  await eventually('the invitation', () => guest.client.getRoom(roomId)?.getMyMembership() === 'invite' || undefined);
  await guest.client.joinRoom(roomId);
  const isJoined = () => owner.client.getRoom(roomId)?.getMember(guest.userId)?.membership === 'join' || undefined;
  await eventually('the guest', isJoined);
  await eventually('the room', () => guest.client.getRoom(roomId)?.hasEncryptionStateEvent() || undefined);
  return roomId;
}

const isThere = (id: unknown): boolean => id !== undefined;
const sessionOf = (event: MatrixEvent): unknown => event.getWireContent()['session_id'];

/** How many keys the server has; a client remembers what it was told once. */
async function backedUp({ client }: CryptoPerson): Promise<number> {
  const token = client.getAccessToken() ?? '';
  const { json } = await requestJson(client.getHomeserverUrl(), 'GET', '/_matrix/client/v3/room_keys/version', {
    token,
  });
  return Number(json['count']);
}
