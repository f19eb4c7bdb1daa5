import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createUser } from '../../src/commands/create-user.ts';
import { ownServerPolicies } from '../../src/commands/running-server.ts';
import { createServer, type Server } from '../../src/server.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { systemPorts } from '../../src/platform/system-ports.ts';
import { freePort } from '../support/free-port.ts';
import { requestJson } from '../support/test-server.ts';

let folder: string;
let configFile: string;
let url: string;
let server: Server | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'veche-user-'));
  configFile = join(folder, 'config.yaml');
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  writeConfig(`- { bind: 127.0.0.1, port: ${port}, serve: [client, admin] }`);
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

describe('npm run user', () => {
  it('makes an account in the database while no server runs', async () => {
    const made = await runUser(['create', 'Alice', '--password-stdin'], 'sUp3rs3kr1t\n');
    expect(made).toEqual({ code: 0, out: '@alice:localhost is there now.\n', err: '' });
    await startServer();
    expect(await whoamiAfterLogin('alice', 'sUp3rs3kr1t')).toMatchObject({ user_id: '@alice:localhost' });
  });

  it('asks a running server, which knows the account at once', async () => {
    await startServer();
    const made = await runUser(['create', 'root', '--admin', '--password-stdin'], 'sUp3rs3kr1t');
    expect(made).toEqual({ code: 0, out: '@root:localhost is there now, and is an administrator.\n', err: '' });
    const { access_token: token } = await logIn('root', 'sUp3rs3kr1t');
    const shown = await requestJson(url, 'GET', '/_synapse/admin/v2/users/@root:localhost', { token: token as string });
    expect(shown.json).toMatchObject({ admin: true, displayname: 'root' });
  });

  it('makes up a password where none is given', async () => {
    const { code, out } = await runUser(['create', 'alice']);
    expect(code).toBe(0);
    const password = /^Password: (\S{20})$/m.exec(out)?.[1] ?? '';
    await startServer();
    expect(await whoamiAfterLogin('alice', password)).toMatchObject({ user_id: '@alice:localhost' });
  });

  it('says in a sentence what cannot be, and what it does not understand', async () => {
    expect(await runUser(['create', 'alice', '--password-stdin'], 'weak')).toEqual({
      code: 1,
      out: '',
      err: 'The password must be at least 8 characters long\n',
    });
    expect(await runUser(['destroy', 'alice'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('"destroy" is not something this command does') as string,
    });
  });
});

describe('createUser', () => {
  const alice = { username: 'alice', password: 'sUp3rs3kr1t', isAdmin: false };
  const ports = systemPorts({ outgoing: ownServerPolicies });
  afterAll(() => ports.close());
  const create = (user: Partial<typeof alice>) => createUser(loadConfig(configFile, {}), { ...alice, ...user }, ports);

  it.each([true, false])('refuses what cannot be (a server runs: %s)', async (runs) => {
    if (runs) await startServer();
    expect(await create({})).toEqual({ userId: '@alice:localhost', by: runs ? 'server' : 'database' });
    await expect(create({ username: 'ALICE' })).rejects.toMatchObject({ errcode: 'M_USER_IN_USE' });
    await expect(create({ username: 'al,ice' })).rejects.toMatchObject({ errcode: 'M_INVALID_USERNAME' });
    await expect(create({ username: 'bob', password: 'weak' })).rejects.toMatchObject({ errcode: 'M_WEAK_PASSWORD' });
  });

  it('does not write beside a server that it cannot reach', async () => {
    await startServer();
    writeConfig('- { bind: 127.0.0.1, port: 1, serve: [client, admin] }');
    await expect(create({})).rejects.toThrow(/^another process has the database \S+ open/);
  });

  it('does not give the account to another server that answers in its place', async () => {
    await startServer();
    writeConfig(`- { bind: 127.0.0.1, port: ${new URL(url).port}, serve: [client, admin] }`, 'other');
    expect(await create({})).toMatchObject({ by: 'database' });
    expect(await logIn('alice', alice.password)).toMatchObject({ errcode: 'M_FORBIDDEN' });
  });
});

function writeConfig(listener: string, dataDir = 'data'): void {
  const cheap = 'password: { argon2: { memory_kib: 8, passes: 1 } }';
  writeFileSync(
    configFile,
    `data_dir: ${join(folder, dataDir)}\n${cheap}\nlog: { level: silent }\nlisteners:\n  ${listener}\n`,
  );
}

async function startServer(): Promise<void> {
  server = await createServer(loadConfig(configFile, {}));
}

async function logIn(user: string, password: string) {
  const body = { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password };
  return (await requestJson(url, 'POST', '/_matrix/client/v3/login', { body })).json;
}

async function whoamiAfterLogin(user: string, password: string) {
  const { access_token: token } = await logIn(user, password);
  return (await requestJson(url, 'GET', '/_matrix/client/v3/account/whoami', { token: token as string })).json;
}

async function runUser(
  args: readonly string[],
  input = '',
): Promise<{ code: number | null; out: string; err: string }> {
  const script = new URL('../../src/commands/user.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, ...args, '--config', configFile]);
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (texts.out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (texts.err += chunk));
  child.stdin.end(input);
  return { code: await exitCode(child), ...texts };
}

const exitCode = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
