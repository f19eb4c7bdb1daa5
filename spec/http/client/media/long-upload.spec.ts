/** Uploads that take long, by a clock that the test owns. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type LoopbackServer, startLoopbackServer } from '../../../support/loopback-server.ts';
import { MediaClient, mediaListeners, requestBytes } from '../../../support/media-requests.ts';
import { openRawConnection } from '../../../support/raw-connection.ts';
import { passwordOfTests } from '../../../support/test-accounts.ts';
import { type TestPorts, testPorts } from '../../../support/test-ports.ts';
import { requestJson } from '../../../support/test-server.ts';

const hourMs = 3_600_000;
let ports: TestPorts;
let server: LoopbackServer;
beforeEach(async () => {
  ports = testPorts();
  server = await startLoopbackServer({ config: { ...mediaListeners, media: '{ pending_upload_hours: 1 }' }, ports });
});
afterEach(() => server.close());

const isReceiving = (): boolean => readdirSync(join(server.dataFolder, 'media/partial')).length === 1;

/** Somebody whose access token lives for an hour. */
async function registerForAnHour(): Promise<string> {
  const body = {
    auth: { type: 'm.login.dummy' },
    username: 'alice',
    password: passwordOfTests,
    refresh_token: true,
  };
  const { json } = await requestJson(server.url, 'POST', '/_matrix/client/v3/register', { body });
  expect(json['expires_in_ms']).toBe(hourMs);
  return String(json['access_token']);
}

it('an upload ends well that takes longer than its access token lives', async () => {
  const token = await registerForAnHour();
  const connection = openRawConnection(Number(new URL(server.url).port));
  connection.send(
    `POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Length: 300000\r\nConnection: close\r\n\r\n`,
  );
  for (let part = 0; part < 3; part++) {
    connection.send(Buffer.alloc(100_000, part));
    await vi.waitUntil(isReceiving, { timeout: 30_000 });
    await ports.advance(hourMs);
  }
  const received = await connection.ended();
  const [uri] = /mxc:[^"]+/.exec(received) ?? [];
  expect(received).toContain('HTTP/1.1 200');
  const whoami = await requestJson(server.url, 'GET', '/_matrix/client/v3/account/whoami', { token });
  expect([whoami.status, whoami.json['soft_logout']]).toEqual([401, true]);
  const bob = await MediaClient.register(server, 'bob');
  const parts = [0, 1, 2].map((part) => Buffer.alloc(100_000, part));
  expect((await bob.download(uri ?? '')).bytes.equals(Buffer.concat(parts))).toBe(true);
});

it('what was created expires, and is not missed afterwards', async () => {
  const alice = await MediaClient.register(server, 'alice');
  const uri = await alice.create();
  const path = `/_matrix/media/v3/upload/${uri.slice('mxc://'.length)}`;
  await ports.advance(hourMs - 1);
  expect(await alice.request('PUT', `${path}x`, { body: Buffer.from('x') })).toMatchObject({ status: 404 });
  await ports.advance(1);
  const late = await alice.request('PUT', path, { body: Buffer.from('x') });
  expect([late.status, late.errcode]).toEqual([404, 'M_NOT_FOUND']);
  expect(await alice.download(uri)).toMatchObject({ status: 404, errcode: 'M_NOT_FOUND' });
});

it('an upload that began in time may end when its URI would have expired', async () => {
  const alice = await MediaClient.register(server, 'alice');
  const uri = await alice.create();
  const connection = openRawConnection(Number(new URL(server.url).port));
  connection.send(
    `PUT /_matrix/media/v3/upload/${uri.slice('mxc://'.length)} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${alice.token}\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabc`,
  );
  await vi.waitUntil(isReceiving, { timeout: 30_000 });
  await ports.advance(2 * hourMs);
  await alice.create();
  connection.send('def');
  expect(await connection.ended()).toContain('HTTP/1.1 200');
  expect((await alice.download(uri)).bytes.toString()).toBe('abcdef');
});

it('a download waits no longer than it was told', async () => {
  const alice = await MediaClient.register(server, 'alice');
  const uri = await alice.create();
  const path = `/_matrix/client/v1/media/download/${uri.slice('mxc://'.length)}`;
  const timers = ports.timerCount;
  const waiting = requestBytes(server, 'GET', `${path}?timeout_ms=50000`, { token: alice.token });
  const tooLong = requestBytes(server, 'GET', `${path}?timeout_ms=999999999`, { token: alice.token });
  await ports.until(() => ports.timerCount === timers + 2);
  await ports.advance(50_000);
  expect(await waiting).toMatchObject({ status: 504, errcode: 'M_NOT_YET_UPLOADED' });
  await ports.advance(10_000);
  expect(await tooLong).toMatchObject({ status: 504, errcode: 'M_NOT_YET_UPLOADED' });
});
