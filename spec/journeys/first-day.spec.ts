/** The first day of a server: `npm start`, the link that it prints, and the people whom the administrator lets in. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { ServerProcess } from '../support/server-process.ts';
import { requestJson, type TestResponse } from '../support/test-server.ts';
import { FormBrowser } from './support/html-form.ts';

let server: ServerProcess;
let browser: FormBrowser;
let origin: string;
beforeEach(async () => {
  server = await ServerProcess.start({
    command: 'start',
    environment: { VECHE_REGISTRATION__ENABLED: 'true', VECHE_REGISTRATION__REQUIRE_TOKEN: 'true' },
  });
  origin = `http://localhost:${server.port}`;
  browser = new FormBrowser(origin);
});
afterEach(() => server.close());

const post = (path: string, body: JsonObject): Promise<TestResponse> =>
  requestJson(server.url, 'POST', `/_matrix/client/v3/${path}`, { body });
const logIn = (user: string, password: string): Promise<TestResponse> =>
  post('login', { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password });
const printedLinks = (): string[] => server.output.match(/^ {2}http:\S+\?setup=\S+$/gm) ?? [];

it('leads from the printed link to an administrator, an account, and a registration token that works', async () => {
  expect(existsSync(join(server.dataFolder, 'veche.db'))).toBe(true);
  expect(existsSync(join(server.dataFolder, 'signing.key'))).toBe(true);
  expect(await browser.open(origin)).toContain('This server has no administrator yet.');
  const link = printedLinks()[0]?.trim() ?? '';
  expect(link).toContain(`${origin}/?setup=`);
  const setup = await browser.open(link);
  const admin = { localpart: 'root', password: 'sUp3r s3kr1t' };
  const home = await browser.submit(setup, 'create-first-administrator', admin);
  expect(home).toContain('You are signed in as @root:localhost.');
  expect(await new FormBrowser(origin).submit(setup, 'create-first-administrator', admin)).toContain(
    'There is an administrator already.',
  );

  const anna = { localpart: 'anna', password: 'her own secret' };
  expect(await browser.submit(home, 'create-account', anna)).toContain('The account @anna:localhost is ready.');
  expect((await logIn('anna', 'her own secret')).json).toMatchObject({ user_id: '@anna:localhost' });

  const made = await browser.submit(home, 'create-registration-token', { uses: '1' });
  const token = /<code>([^<]+)<\/code>/.exec(made.slice(made.indexOf('The new registration token')))?.[1] ?? '';
  expect(await register('boris', token)).toMatchObject({ user_id: '@boris:localhost' });
  expect(await register('vera', token)).toMatchObject({ errcode: 'M_UNAUTHORIZED' });
  expect(await browser.submit(home, 'sign-out', {})).not.toContain('You are signed in as');
});

it('is over after that: another start prints no link, and SIGTERM ends each in order', async () => {
  const setup = await browser.open(printedLinks()[0]?.trim() ?? '');
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  await server.start();
  // The link of the start before does nothing.
  const form = { localpart: 'root', password: 'sUp3r s3kr1t' };
  expect(await browser.submit(setup, 'create-first-administrator', form)).toContain('This link is not valid');
  const [, link] = printedLinks();
  await browser.submit(await browser.open(link?.trim() ?? ''), 'create-first-administrator', form);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  await server.start();
  expect(printedLinks()).toHaveLength(2);
  const page = await browser.submit(await browser.open(origin), 'sign-out', {});
  const home = await browser.submit(page, 'sign-in', { user: 'root', password: 'sUp3r s3kr1t' });
  expect(home).toContain('You are signed in as @root:localhost.');
});

it('can be done without a browser', async () => {
  const made = await server.run('user.ts', ['create', 'root', '--admin', '--password-stdin'], 'sUp3r s3kr1t\n');
  expect(made).toEqual({ code: 0, out: '@root:localhost is there now, and is an administrator.\n', err: '' });
  expect(await browser.open(origin)).not.toContain('This server has no administrator yet.');
  const token = String((await logIn('root', 'sUp3r s3kr1t')).json['access_token']);
  const created = await requestJson(server.url, 'POST', '/_synapse/admin/v1/registration_tokens/new', {
    token,
    body: { uses_allowed: 1 },
  });
  expect(await register('boris', String(created.json['token']))).toMatchObject({ user_id: '@boris:localhost' });
  const put = await requestJson(server.url, 'PUT', '/_synapse/admin/v2/users/@anna:localhost', {
    token,
    body: { password: 'her own secret' },
  });
  expect(put.status).toBe(201);
  expect((await logIn('anna', 'her own secret')).json).toMatchObject({ user_id: '@anna:localhost' });
});

/** Registers as an app does it, with the token where the server asks for it. */
async function register(username: string, token: string): Promise<JsonObject> {
  const account = { username, password: 'a secret of my own' };
  const { json: asked } = await post('register', account);
  expect(asked['flows']).toEqual([{ stages: ['m.login.registration_token', 'm.login.dummy'] }]);
  const { session = '' } = asked;
  const auth = { type: 'm.login.registration_token', token, session };
  const { json: passed } = await post('register', { ...account, auth });
  if (passed['completed'] === undefined) return passed;
  const { json } = await post('register', { ...account, auth: { type: 'm.login.dummy', session } });
  return json;
}
