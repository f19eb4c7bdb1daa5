/**
 * Files by way of an unmodified client: an image in a room, fetched in several parts at once by somebody else, and an
 * encrypted attachment, of which the server sees nothing but noise.
 */
import { createHash, webcrypto } from 'node:crypto';
import * as sdk from 'matrix-js-sdk';
import { afterEach, expect, it } from 'vitest';
import { bytesOf } from '../media/blob-store-contract.ts';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { mediaListeners } from '../support/media-requests.ts';
import { CryptoPerson } from './support/crypto-person.ts';
import { eventually } from './support/eventually.ts';

let server: LoopbackServer | undefined;
const people: CryptoPerson[] = [];
afterEach(async () => {
  for (const person of people.splice(0)) person.stop();
  await server?.close();
});

it('carries an image and an encrypted attachment from one person to another', async () => {
  server = await startLoopbackServer({ config: mediaListeners });
  const [alice, bob] = [await register('alice'), await register('bob')];
  const roomId = await sharedRoom(alice, bob);

  const image = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), bytesOf(5_000_000)]);
  const { 'm.upload.size': bytesMax } = await alice.client.getMediaConfig(true);
  expect(bytesMax).toBeGreaterThan(image.length);
  const told: number[] = [];
  const { content_uri: url } = await alice.client.uploadContent(new Blob([new Uint8Array(image)]), {
    name: 'зима.png',
    type: 'image/png',
    progressHandler: ({ loaded }) => void told.push(loaded),
  });
  const info = { mimetype: 'image/png', size: image.length };
  await alice.client.sendMessage(roomId, { msgtype: sdk.MsgType.Image, body: 'зима.png', url, info });
  const shown = (await bob.reads(roomId, 'зима.png')).getContent();
  const [whole, headers] = await downloadInParts(bob, String(shown['url']), image.length, 5);
  expect(sha256(whole)).toBe(sha256(image));
  expect(headers.get('content-type')).toBe('image/png');
  expect(headers.get('content-disposition')).toContain(`filename*=UTF-8''${encodeURIComponent('зима')}.png`);

  const secret = bytesOf(700_001);
  const { ciphertext, file } = await encryptAttachment(secret);
  const noise = new Blob([new Uint8Array(ciphertext)]);
  const uploaded = await alice.client.uploadContent(noise, {
    includeFilename: false,
    type: 'application/octet-stream',
  });
  await alice.client.sendMessage(roomId, {
    msgtype: sdk.MsgType.File,
    body: 'letter.pdf',
    file: { ...file, url: uploaded.content_uri },
  } as never);
  const sent = (await bob.reads(roomId, 'letter.pdf')).getContent()['file'] as EncryptedFile & { url: string };
  const [received, headersOfNoise] = await downloadInParts(bob, sent.url, ciphertext.length, 3);
  expect(headersOfNoise.get('content-disposition')).toBe('attachment');
  expect(received.includes(secret.subarray(0, 1_000))).toBe(false);
  expect((await decryptAttachment(received, sent)).equals(secret)).toBe(true);
}, 180_000);

async function register(name: string): Promise<CryptoPerson> {
  const person = await CryptoPerson.register({ baseUrl: server?.url ?? '', name, password: 'correct horse battery' });
  people.push(person);
  return person;
}

async function sharedRoom(alice: CryptoPerson, bob: CryptoPerson): Promise<string> {
  const { room_id: roomId } = await alice.client.createRoom({ preset: sdk.Preset.PrivateChat, invite: [bob.userId] });
  await eventually('the invitation', () => bob.client.getRoom(roomId)?.getMyMembership() === 'invite');
  await bob.client.joinRoom(roomId);
  await eventually('the new member', () => alice.room(roomId).getMember(bob.userId)?.membership === 'join');
  await eventually('the encryption', async () => alice.crypto.isEncryptionEnabledInRoom(roomId));
  return roomId;
}

/** As a client does that has several connections: all parts at once, each checked for what it says that it is. */
async function downloadInParts(
  person: CryptoPerson,
  uri: string,
  sizeBytes: number,
  parts: number,
): Promise<readonly [Buffer, Headers]> {
  const url = person.client.mxcUrlToHttp(uri, undefined, undefined, undefined, false, true, true) ?? '';
  const authorization = `Bearer ${person.client.getAccessToken()}`;
  const partBytes = Math.ceil(sizeBytes / parts);
  const responses = await Promise.all(
    Array.from({ length: parts }, async (_, index) => {
      const [start, end] = [index * partBytes, Math.min((index + 1) * partBytes, sizeBytes)];
      const response = await fetch(url, { headers: { authorization, range: `bytes=${start}-${end - 1}` } });
      expect(response.status).toBe(206);
      expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${sizeBytes}`);
      return { headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
    }),
  );
  const [first] = responses;
  if (first === undefined) throw new Error('there is a first part');
  for (const { headers } of responses) expect(headers.get('etag')).toBe(first.headers.get('etag'));
  return [Buffer.concat(responses.map(({ bytes }) => bytes)), first.headers];
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64');

/** https://spec.matrix.org/v1.19/client-server-api/#sending-encrypted-attachments */
interface EncryptedFile {
  readonly v: 'v2';
  readonly key: webcrypto.JsonWebKey;
  readonly iv: string;
  readonly hashes: { readonly sha256: string };
}

async function encryptAttachment(bytes: Buffer): Promise<{ ciphertext: Buffer; file: EncryptedFile }> {
  const iv = new Uint8Array(16);
  webcrypto.getRandomValues(iv.subarray(0, 8));
  const key = await webcrypto.subtle.generateKey({ name: 'AES-CTR', length: 256 }, true, ['encrypt', 'decrypt']);
  const algorithm = { name: 'AES-CTR', counter: iv, length: 64 };
  const ciphertext = Buffer.from(await webcrypto.subtle.encrypt(algorithm, key, new Uint8Array(bytes)));
  const file: EncryptedFile = {
    v: 'v2',
    key: await webcrypto.subtle.exportKey('jwk', key),
    iv: unpadded(Buffer.from(iv)),
    hashes: { sha256: unpadded(createHash('sha256').update(ciphertext).digest()) },
  };
  return { ciphertext, file };
}

async function decryptAttachment(ciphertext: Buffer, { key, iv, hashes }: EncryptedFile): Promise<Buffer> {
  expect(unpadded(createHash('sha256').update(ciphertext).digest())).toBe(hashes.sha256);
  const usable = await webcrypto.subtle.importKey('jwk', key, 'AES-CTR', false, ['decrypt']);
  const algorithm = { name: 'AES-CTR', counter: new Uint8Array(Buffer.from(iv, 'base64')), length: 64 };
  return Buffer.from(await webcrypto.subtle.decrypt(algorithm, usable, new Uint8Array(ciphertext)));
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
