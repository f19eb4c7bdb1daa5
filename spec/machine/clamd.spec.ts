/** Files that Debian's clamd scans. Needs clamav-daemon; no database of signatures but one of our own. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clamd as ClamdScanner } from '../../src/media/scanning/clamd.ts';
import { systemSockets } from '../../src/platform/outgoing-sockets.ts';
import { encryptAttachment } from '../support/encrypted-files.ts';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { MediaClient, mediaListeners } from '../support/media-requests.ts';
import { Clamd, signatureName, signedText, streamBytesMax } from './support/clamd.ts';

const found = `${signatureName}.UNOFFICIAL`;
let clamd: Clamd;
beforeAll(async () => {
  clamd = await Clamd.start();
});
afterAll(() => clamd?.close());

describe('the client of clamd', () => {
  const scanner = (): ClamdScanner => new ClamdScanner(systemSockets, { path: clamd.path });
  const never = new AbortController().signal;
  async function* pieces(bytes: Buffer, pieceBytes: number): AsyncIterable<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }

  it('is told the version', async () => {
    expect(await scanner().version(never)).toMatch(/^ClamAV \d/);
  });

  it('finds the signature wherever it stands, whatever the pieces are', async () => {
    const large = Buffer.concat([randomBytes(3_000_000), signedText, randomBytes(100_000)]);
    expect(await scanner().scan(pieces(large, 65_536), never)).toBe(found);
    expect(await scanner().scan(pieces(signedText, 5), never)).toBe(found);
    expect(await scanner().scan(pieces(signedText.subarray(1), 5), never)).toBeUndefined();
    expect(await scanner().scan(pieces(Buffer.alloc(0), 5), never)).toBeUndefined();
    expect(await scanner().scan(pieces(Buffer.alloc(streamBytesMax, 1), 65_536), never)).toBeUndefined();
  });

  /** By the answer, or by the closed connection, whichever it sees first. */
  it('is told that there is too much', async () => {
    const scan = scanner().scan(pieces(Buffer.alloc(50_000_000, 1), 65_536), never);
    await expect(scan).rejects.toThrow(/size limit exceeded|StreamMaxLength/);
  });

  it('scans many files at once', async () => {
    const files = Array.from({ length: 40 }, (_, index) =>
      index % 2 === 0 ? randomBytes(200_000) : Buffer.concat([randomBytes(200_000), signedText]),
    );
    const answers = await Promise.all(files.map((file) => scanner().scan(pieces(file, 65_536), never)));
    expect(answers).toEqual(files.map((_, index) => (index % 2 === 0 ? undefined : found)));
  });
});

describe('a server with clamd', () => {
  let server: LoopbackServer;
  let alice: MediaClient;
  let bob: MediaClient;
  beforeEach(async () => {
    const media = `{ scanner: { clamd: "${clamd.path}", stream_bytes_max: ${streamBytesMax} } }`;
    server = await startLoopbackServer({ config: { ...mediaListeners, media } });
    alice = await MediaClient.register(server, 'alice');
    bob = await MediaClient.register(server, 'bob');
  });
  afterEach(() => server.close());

  it('serves what is clean, and nothing else', async () => {
    const good = randomBytes(3_000_000);
    expect((await bob.download(await alice.upload(good))).bytes.equals(good)).toBe(true);
    const bad = await alice.upload(Buffer.concat([good, signedText]), 'image/png', 'picture.png');
    expect((await bob.download(bad)).errcode).toBe('M_NOT_FOUND');
  });

  it('scans encrypted files with the keys that clients hand over', async () => {
    const { bytes, fileAt } = await encryptAttachment(Buffer.concat([randomBytes(300_000), signedText]));
    const uri = await alice.upload(bytes);
    expect((await bob.download(uri)).status).toBe(200);
    const body = Buffer.from(JSON.stringify({ file: fileAt(uri) }));
    const reply = await bob.request('POST', '/_matrix/media_proxy/unstable/scan_encrypted', { body });
    expect(JSON.parse(reply.bytes.toString())).toEqual({ clean: false, info: `The scanner found ${found}` });
    expect((await bob.download(uri)).status).toBe(404);
  });

  it('serves nothing new while clamd is away, and goes on when it is back', async () => {
    const seen = await alice.upload(Buffer.from('seen before'));
    expect((await bob.download(seen)).status).toBe(200);
    await clamd.stop();
    const uri = await alice.upload(Buffer.from('new'));
    expect((await bob.download(uri)).status).toBe(503);
    expect((await bob.download(seen)).status).toBe(200);
    await clamd.start();
    await vi.waitFor(async () => expect((await bob.download(uri)).status).toBe(200), {
      timeout: 60_000,
      interval: 500,
    });
  });
});
