import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServerName } from '../../src/matrix/ids/ids.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { createServer, type Server } from '../../src/server.ts';
import { freePort } from '../support/free-port.ts';
import { requestJson } from '../support/test-server.ts';

let folder: string;
let configFile: string;
let url: string;
let server: Server | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'veche-federation-'));
  configFile = join(folder, 'config.yaml');
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const lines = [
    `data_dir: ${join(folder, 'data')}`,
    'log: { level: silent }',
    `listeners: [{ bind: 127.0.0.1, port: ${port}, serve: [client, federation, admin] }]`,
  ];
  writeFileSync(configFile, lines.join('\n'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

const start = async (): Promise<Server> => (server = await createServer(loadConfig(configFile, {})));
const stop = async (): Promise<void> => {
  await server?.close();
  server = undefined;
};

async function run(command: string, args: readonly string[] = []) {
  const file = new URL(`../../src/commands/${command}.ts`, import.meta.url).pathname;
  const child = spawn(process.execPath, [file, '--config', configFile, ...args]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

describe('npm run rotate-signing-key', () => {
  const keyFile = () => readFileSync(join(folder, 'data', 'signing.key'), 'utf8');
  const keyIds = async (): Promise<readonly [current: string[], old: string[]]> => {
    const { json } = await requestJson(url, 'GET', '/_matrix/key/v2/server');
    return [Object.keys(json['verify_keys'] ?? {}), Object.keys(json['old_verify_keys'] ?? {})];
  };

  it.each([true, false])('makes a new key, and the old one stays known (a server runs: %s)', async (runs) => {
    await start();
    const before = keyFile();
    const [[first]] = await keyIds();
    if (!runs) await stop();
    const { code, out, err } = await run('rotate-signing-key');
    expect([code, err]).toEqual([0, '']);
    const [, second] = /^(\S+) signs from now on\. (\S+) is published as an old key/.exec(out) ?? [];
    expect(out).toContain(`${first} is published as an old key`);
    expect(keyFile()).not.toBe(before);
    if (!runs) await start();
    expect(await keyIds()).toEqual([[second], [first]]);
    // The command knows the server by its new key.
    expect((await run('rotate-signing-key')).out).toContain(`${second} is published as an old key`);
    expect(new Set((await keyIds())[1])).toEqual(new Set([first, second]));
  });
});

describe('npm run destinations', () => {
  it('says which servers have not been sent everything, and why, and has one tried at once', async () => {
    const none = await run('destinations');
    expect([none.code, none.out]).toEqual([1, '']);
    expect(none.err).toContain('No server of this configuration answers');
    const { federation } = await start();
    expect((await run('destinations')).out).toBe('All 0 other servers have been sent everything.\n');
    const down = {
      destination: '127.0.0.1:1' as ServerName,
      method: 'GET',
      path: '/_matrix/federation/v1/version',
    } as const;
    federation.destinations.failed(down.destination, 'nobody listens there');
    const { code, out, err } = await run('destinations');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /^127\.0\.0\.1:1: it cannot be reached \(nobody listens there\); it is (tried again in \d+ s|being tried again)\n {2}failed 1 times in a row since \d+ s ago\n {2}last success: never\n$/,
    );
    expect(await run('destinations', ['--reset', '127.0.0.1:1'])).toEqual({
      code: 0,
      out: '127.0.0.1:1 is tried now.\n',
      err: '',
    });
    expect((await run('destinations')).out).toBe('All 1 other servers have been sent everything.\n');
    expect((await run('destinations', ['--all'])).out).toMatch(/^127\.0\.0\.1:1: it has been sent everything\n/);
    expect(await run('destinations', ['--reset', 'nowhere.example'])).toMatchObject({
      code: 1,
      err: 'Unknown destination\n',
    });
    expect(await run('destinations', ['--reset', 'no name'])).toMatchObject({ code: 2 });
  });
});
