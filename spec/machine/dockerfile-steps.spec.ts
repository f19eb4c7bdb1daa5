/**
 * The Dockerfile's steps in an empty folder, as no test can build the image: the same files copied, the same commands run, the
 * server started as another user, asked by the health check, and ended by SIGTERM. Needs root, to be the other user.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { repository } from '../support/source-files.ts';
import { environmentOf, execForm, parseDockerfile, textsOf, type Instruction } from './support/dockerfile.ts';

const nobody = 65534;
const path = `${join(repository, 'node_modules/.bin')}:${process.env['PATH']}`;
const instructions = parseDockerfile(readFileSync(join(repository, 'Dockerfile'), 'utf8'));

let root: string;
let port: number;
let server: ChildProcess | undefined;
let output = '';

/** The image's paths and port are those of this test instead. */
const placed = (text: string): string =>
  text
    .replaceAll(/(^|[\s"'=])\/(app|data)\b/g, `$1${root}/$2`)
    .replaceAll('8008', String(port))
    .replaceAll('node:node', `${nobody}:${nobody}`);
const environment = (): NodeJS.ProcessEnv => ({
  PATH: path,
  ...Object.fromEntries(Object.entries(environmentOf(instructions)).map(([name, value]) => [name, placed(value)])),
});
const command = (name: string): readonly [program: string, args: readonly string[]] => {
  const [program = '', ...args] = execForm(textsOf(instructions, name)[0] ?? '').map(placed);
  return [program, args];
};
const asNobody = { uid: nobody, gid: nobody };
const isHealthy = (): boolean => {
  const [program, args] = command('HEALTHCHECK');
  return spawnSync(program, args, { cwd: join(root, 'app'), env: environment(), ...asNobody }).status === 0;
};

beforeAll(async () => {
  if (process.getuid?.() !== 0) throw new Error('This test needs root: it starts the server as another user.');
  root = mkdtempSync(join(tmpdir(), 'dockerfile-'));
  chmodSync(root, 0o755);
  port = await freePort();
});
afterAll(() => {
  server?.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

test('the image is Node 24, runs as an unprivileged user and starts src/main.ts', () => {
  expect(textsOf(instructions, 'FROM')).toEqual(['node:24-slim']);
  expect(textsOf(instructions, 'USER')).toEqual(['node']);
  expect(textsOf(instructions, 'VOLUME')).toEqual(['/data']);
  expect(textsOf(instructions, 'CMD')).toEqual(['["node", "src/main.ts"]']);
  expect(environmentOf(instructions)['VECHE_LISTENERS']).toContain('0.0.0.0');
});

test('its steps bring all that the server needs', () => {
  for (const instruction of instructions) runStep(instruction);
  expect(existsSync(join(root, 'app/node_modules/better-sqlite3'))).toBe(true);
  expect(existsSync(join(root, 'app/node_modules/vitest'))).toBe(false);
  expect(statSync(join(root, 'data')).uid).toBe(nobody);
});

test('the health check says no before the start, and yes when the server answers', async () => {
  expect(isHealthy()).toBe(false);
  const [program, args] = command('CMD');
  server = spawn(program, args, {
    cwd: join(root, 'app'),
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...asNobody,
  });
  for (const stream of [server.stdout, server.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  while (!isHealthy()) {
    expect(server.exitCode, output).toBeNull();
    await sleep(200);
  }
  expect(readdirSync(join(root, 'data'))).toContain('signing.key');
  expect((await fetch(`http://127.0.0.1:${port}/_matrix/client/versions`)).status).toBe(200);
});

test('SIGTERM ends the server in order', async () => {
  const running = server;
  if (running === undefined) throw new Error('the server was not started');
  const ended = once(running, 'exit');
  running.kill('SIGTERM');
  expect(await ended, output).toEqual([0, null]);
  expect(isHealthy()).toBe(false);
});

function runStep({ name, text }: Instruction): void {
  if (name === 'WORKDIR') mkdirSync(placed(text), { recursive: true });
  // npm finds its registry and cache by the settings of whoever runs the test; nothing is cleaned out of that cache.
  if (name === 'RUN') {
    const commands = placed(text).replace(/ && npm cache clean .*$/, '');
    execFileSync('sh', ['-c', commands], {
      cwd: join(root, 'app'),
      env: { ...process.env, PATH: path },
      stdio: 'pipe',
    });
  }
  if (name === 'VOLUME') chownSync(placed(text), nobody, nobody);
  if (name === 'COPY') {
    const parts = text.split(/\s+/);
    const target = join(root, 'app', parts.at(-1) ?? '');
    for (const from of parts.slice(0, -1))
      cpSync(join(repository, from), parts.at(-1) === './' ? join(target, from) : target, { recursive: true });
  }
}
