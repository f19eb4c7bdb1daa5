/** What servers that a test plays do to those who fetch their files. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { garbageCollector } from '../../../src/platform/garbage-collector.ts';
import { bytesOf } from '../../media/blob-store-contract.ts';
import type { PeerReply } from '../../support/federated-network.ts';
import { type FederatedServers, startFederatedServers } from '../../support/federated-servers.ts';
import { type BytesReply, downloadPath, MediaClient } from '../../support/media-requests.ts';
import { chunksOf, endless, parts, withFiles } from './support/remote-files.ts';

let servers: FederatedServers;
let bob: MediaClient;
let files: Record<string, () => PeerReply> = {};
beforeAll(async () => {
  servers = await startFederatedServers(['two.test'], { config: { media: '{ remote_bytes_max: 70000000 }' } });
  bob = await MediaClient.register(servers.get('two.test'), 'bob');
  servers.addPeer('peer.test', (request) => withFiles(files)(request));
});
afterAll(() => servers.close());

let count = 0;
const fetched = (reply: () => PeerReply): Promise<BytesReply> => {
  const id = `file${(count += 1)}`;
  files = { ...files, [id]: reply };
  return bob.download(`mxc://peer.test/${id}`);
};
const refusal = ({ status, errcode }: BytesReply): unknown => [status, errcode];
const received = (): string[] => readdirSync(join(servers.get('two.test').dataFolder, 'media/partial'));
async function* broken(...chunks: readonly Buffer[]): AsyncIterable<Buffer> {
  yield* chunksOf(...chunks);
  throw new Error('gone');
}

describe('a server', () => {
  it.each<[string, () => PeerReply]>([
    ['has another boundary than it says', () => parts(chunksOf('x'), { boundary: 'abd' })],
    ['ends before the end', () => parts(chunksOf('x'), { end: '' })],
    ['breaks off', () => parts(broken(bytesOf(300_000)))],
    ['has headers without end', () => parts(chunksOf(), { headers: Array.from({ length: 9_000 }, () => 'A: bcdefg') })],
    ['says another length', () => parts(chunksOf('abc'), { headers: ['Content-Length: 2'] })],
    ['says a longer length', () => parts(chunksOf('abc'), { headers: ['Content-Length: 4'] })],
    ['sends no parts', () => ({ headers: { 'content-type': 'text/html' }, stream: chunksOf('x') })],
    [
      'packs them',
      () => ({
        ...parts(chunksOf('x')),
        headers: { 'content-type': 'multipart/mixed; boundary=abc', 'content-encoding': 'gzip' },
      }),
    ],
    ['leads to this machine', () => parts(chunksOf(), { headers: ['Location: https://127.0.0.1:8448/secret'] })],
    ['leads to where nothing is encrypted', () => parts(chunksOf(), { headers: ['Location: http://192.0.2.1/a'] })],
    ['leads nowhere', () => parts(chunksOf(), { headers: ['Location: nowhere'] })],
  ])('that %s has no file', async (_title, reply) => {
    expect(refusal(await fetched(reply))).toEqual([502, 'M_UNKNOWN']);
    await expect.poll(received, { timeout: 30_000 }).toEqual([]);
  });

  it('that sends without end is given up, and so is one that says that it will', async () => {
    const taken: number[] = [];
    const reply = () => parts(endless('x'.repeat(65_536), (bytes) => taken.push(bytes)));
    // What was passed on already is cut.
    await expect(fetched(reply)).rejects.toThrow(/terminated|fetch failed/);
    expect(taken.at(-1)).toBeLessThan(80_000_000);
    const announced = () => parts(chunksOf('x'), { headers: ['Content-Length: 70000001'] });
    expect(refusal(await fetched(announced))).toEqual([502, 'M_TOO_LARGE']);
    await expect.poll(received, { timeout: 30_000 }).toEqual([]);
  });

  it('that breaks off in the middle of a large file is asked again the next time', async () => {
    const bytes = bytesOf(4_000_000);
    files = { ...files, torn: () => parts(broken(bytes.subarray(0, 3_000_000))) };
    await bob.download('mxc://peer.test/torn').then(
      (reply) => expect(reply.status).toBe(502),
      () => undefined,
    );
    files = { ...files, torn: () => parts(chunksOf(bytes)) };
    const reply = await bob.download('mxc://peer.test/torn');
    expect([reply.status, reply.bytes.equals(bytes)]).toEqual([200, true]);
    const part = await bob.download('mxc://peer.test/torn', { range: 'bytes=0-9' });
    expect([part.status, part.bytes.equals(bytes.subarray(0, 10))]).toEqual([206, true]);
  });

  it('that calls a page an image has a page that no browser shows', async () => {
    const headers = ['Content-Type: image/png', 'Content-Disposition: inline; filename="a/../b.png"'];
    const reply = await fetched(() => parts(chunksOf('<script>alert(1)</script>'), { headers }));
    expect(reply.headers.get('content-type')).toBe('application/octet-stream');
    expect(reply.headers.get('content-disposition')).toBe('attachment; filename=b.png');
    const page = await fetched(() => parts(chunksOf('<html>'), { headers: ['Content-Type: text/html'] }));
    expect(page.headers.get('content-disposition')).toBe('attachment');
    expect(page.headers.get('content-security-policy')).toContain('sandbox');
  });

  it('leads to where the file is, and who asks is not told there', async () => {
    servers.addPeer('cdn.test', ({ uri }) =>
      uri === '/a'
        ? { status: 302, headers: { location: 'https://cdn.test/b' }, stream: chunksOf() }
        : { headers: { 'content-type': 'text/plain', 'content-length': '3' }, stream: chunksOf('abc') },
    );
    const reply = await fetched(() => parts(chunksOf(), { headers: ['Location: https://cdn.test/a'] }));
    expect([reply.status, reply.bytes.toString()]).toEqual([200, 'abc']);
    servers.addPeer('loop.test', () => ({
      status: 302,
      headers: { location: 'https://loop.test/' },
      stream: chunksOf(),
    }));
    const loop = await fetched(() => parts(chunksOf(), { headers: ['Location: https://loop.test/'] }));
    expect(refusal(loop)).toEqual([502, 'M_UNKNOWN']);
    expect(servers.passed.filter(({ to }) => to === 'loop.test')).toHaveLength(5);
  });

  it('of before Matrix 1.11 is asked the way of then', async () => {
    const asked: string[] = [];
    servers.addPeer('old.test', ({ uri }) => {
      asked.push(uri);
      if (!uri.startsWith('/_matrix/media/v3/download/old.test/abc?')) return undefined;
      return { headers: { 'content-type': 'text/plain', 'content-length': '3' }, stream: chunksOf('old') };
    });
    expect((await bob.download('mxc://old.test/abc')).bytes.toString()).toBe('old');
    expect(asked.at(-1)).toContain('allow_remote=false');
  });

  it('sends 64 MiB, which this one passes on and keeps without holding them in memory', async () => {
    const piece = 65_536;
    async function* large(): AsyncIterable<Buffer> {
      for (let index = 0; index < 1_024; index++) yield Buffer.alloc(piece, index & 255);
    }
    files = { ...files, large: () => parts(large()) };
    const { url } = servers.get('two.test');
    const path = url + downloadPath('mxc://peer.test/large');
    const response = await fetch(path, { headers: { authorization: `Bearer ${bob.token}` } });
    const collect = garbageCollector();
    const heldBytes = (): number => {
      collect({ type: 'major', execution: 'sync' });
      return process.memoryUsage().arrayBuffers;
    };
    const before = heldBytes();
    let [bytes, lookedAt, peak] = [0, 0, 0];
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes - lookedAt < 4_194_304) continue;
      lookedAt = bytes;
      peak = Math.max(peak, heldBytes() - before);
    }
    expect(bytes).toBe(67_108_864);
    expect(peak).toBeLessThan(50_000_000);
    const part = await bob.download('mxc://peer.test/large', { range: 'bytes=67108863-' });
    expect([part.status, part.bytes[0]]).toEqual([206, 255]);
  });
});
