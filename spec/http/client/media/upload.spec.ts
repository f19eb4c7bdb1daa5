import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoopbackServer, startLoopbackServer } from '../../../support/loopback-server.ts';
import { MediaClient, mediaListeners } from '../../../support/media-requests.ts';

let server: LoopbackServer;
let alice: MediaClient;
let bob: MediaClient;
beforeAll(async () => {
  server = await startLoopbackServer({ config: { ...mediaListeners, media: '{ upload_bytes_max: 1000000 }' } });
  alice = await MediaClient.register(server, 'alice');
  bob = await MediaClient.register(server, 'bob');
});
afterAll(() => server.close());

describe('an upload', () => {
  it('can be downloaded by others, with its type and name', async () => {
    const bytes = Buffer.from('hello');
    const uri = await alice.upload(bytes, 'text/plain', 'greeting.txt');
    expect(uri).toMatch(/^mxc:\/\/localhost\/[A-Za-z0-9_-]{24}$/);
    const reply = await bob.download(uri);
    expect(reply.status).toBe(200);
    expect(reply.bytes).toEqual(bytes);
    expect(reply.headers.get('content-type')).toBe('text/plain');
    expect(reply.headers.get('content-disposition')).toBe('inline; filename=greeting.txt');
  });
});
