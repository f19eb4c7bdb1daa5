import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { orderMac } from '../../src/accounts/shared-secret.ts';
import { createServer, type Server } from '../../src/server.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { freePort } from '../support/free-port.ts';
import { requestJson } from '../support/test-server.ts';

let folder: string;
let configFile: string;
let url: string;
let server: Server | undefined;
let token: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'veche-purge-'));
  configFile = join(folder, 'config.yaml');
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  writeFileSync(
    configFile,
    [
      `data_dir: ${join(folder, 'data')}`,
      'registration: { enabled: true }',
      'password: { argon2: { memory_kib: 8, passes: 1 } }',
      'log: { level: silent }',
      `listeners: [{ bind: 127.0.0.1, port: ${port}, serve: [client, admin] }]`,
    ].join('\n'),
  );
  server = await createServer(loadConfig(configFile, {}));
  token = await register('alice');
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

describe('npm run purge-history', () => {
  it.each([true, false])('forgets what came before an event (a server runs: %s)', async (runs) => {
    const { roomId, events } = await roomWithMessages(5);
    if (!runs) await stopServer();
    const purged = await run(['--room', roomId, '--before', events[3]!]);
    expect(purged).toMatchObject({ code: 0, err: '' });
    // everything before the fourth message but the six or so events of the current state
    expect(purged.out).toMatch(/^Forgotten in !\S+: [1-9]\d* events, 0 rows of the state log and 0 of its lines\./);
    if (!runs) server = await createServer(loadConfig(configFile, {}));
    expect(await messages(roomId)).toEqual(['message 4', 'message 3']);
  });

  it('says in a sentence what cannot be', async () => {
    const { roomId, events } = await roomWithMessages(1);
    expect(await run(['--room', 'room', '--before', events[0]!])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^"room" is not a room ID\nUsage: npm run purge-history/) as string,
    });
    expect(await run(['--room', roomId])).toMatchObject({ code: 2 });
    const unknown = `$${createHash('sha256').update('x').digest('base64url')}`;
    for (const runs of [true, false]) {
      if (!runs) await stopServer();
      expect(await run(['--room', roomId, '--before', unknown])).toEqual({
        code: 1,
        out: '',
        err: `${unknown} is not in the timeline of ${roomId}\n`,
      });
    }
  });

  it('is not for whoever cannot read the signing key', async () => {
    const { roomId, events } = await roomWithMessages(3);
    const path = '/_veche/admin/v1/operator';
    const order = async (mac: (nonce: string) => string) => {
      const { nonce } = (await requestJson(url, 'GET', `${path}/register`)).json as { nonce: string };
      const body = { nonce, mac: mac(nonce), room_id: roomId, before: events[2] };
      return requestJson(url, 'POST', `${path}/purge_history`, { body });
    };
    const forged = (nonce: string) =>
      orderMac('another secret', { nonce, order: '/purge_history', subjects: [roomId, events[2]!] });
    expect(await order(forged)).toMatchObject({ status: 403, json: { errcode: 'M_FORBIDDEN' } });
    expect(await order(() => randomBytes(32).toString('hex'))).toMatchObject({ status: 403 });
    expect(await order(() => '')).toMatchObject({ status: 403 });
    expect(await messages(roomId)).toHaveLength(3);
  });
});

async function roomWithMessages(count: number): Promise<{ roomId: string; events: string[] }> {
  const client = '/_matrix/client/v3';
  const created = await requestJson(url, 'POST', `${client}/createRoom`, { token, body: {} });
  const roomId = created.json['room_id'] as string;
  const events: string[] = [];
  for (let i = 0; i < count; i++) {
    const body = { msgtype: 'm.text', body: `message ${i}` };
    const sent = await requestJson(url, 'PUT', `${client}/rooms/${roomId}/send/m.room.message/${i}`, { token, body });
    events.push(sent.json['event_id'] as string);
  }
  return { roomId, events };
}

async function messages(roomId: string): Promise<unknown[]> {
  const path = `/_matrix/client/v3/rooms/${roomId}/messages?dir=b&limit=100`;
  const { chunk } = (await requestJson(url, 'GET', path, { token })).json as {
    chunk: { type: string; content: { body: string } }[];
  };
  return chunk.filter(({ type }) => type === 'm.room.message').map(({ content }) => content.body);
}

async function register(username: string): Promise<string> {
  const body = { username, password: 'sUp3rs3kr1t', auth: { type: 'm.login.dummy' } };
  const { json } = await requestJson(url, 'POST', '/_matrix/client/v3/register', { body });
  return json['access_token'] as string;
}

async function stopServer(): Promise<void> {
  await server?.close();
  server = undefined;
}

async function run(args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const script = new URL('../../src/commands/purge-history.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, ...args, '--config', configFile]);
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (texts.out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (texts.err += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}
