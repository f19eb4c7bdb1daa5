import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pageEndpoints } from '../../../src/http/pages/index.ts';
import { firstAdministratorLink } from '../../../src/http/pages/start-page-accounts.ts';
import { type StartPageDomain, startPageSettings } from '../../../src/http/pages/start-page-domain.ts';
import { TokenBuckets } from '../../../src/http/rate-limiter.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { testEpochMs, testPorts } from '../../support/test-ports.ts';
import { startTestServer, type TestResponse, type TestServer } from '../../support/test-server.ts';
import { AccountsInMemory } from './accounts-in-memory.ts';

let accounts: AccountsInMemory;
let server: TestServer;
let problem: string | undefined;
beforeEach(async () => {
  accounts = new AccountsInMemory();
  problem = undefined;
  const { clock } = testPorts();
  const domain: StartPageDomain = {
    health: { findProblem: async () => problem },
    software: { name: 'veche', version: '1.2.3' },
    startPage: {
      settings: startPageSettings({
        serverName: 'example.org' as ServerName,
        publicBaseUrl: 'https://matrix.example.org',
        registration: {
          enabled: true,
          allowGuests: false,
          requireToken: true,
          email: 'off',
          terms: [],
          sharedSecret: undefined,
        },
        password: { minimumLength: 8, argon2: { memoryKib: 8, passes: 1 } },
      }),
      accounts,
      rateLimiter: new TokenBuckets({ login: { perSecond: 0.1, burst: 5 } }, clock),
      clock,
    },
  };
  server = await startTestServer({ endpoints: pageEndpoints, domain, listener: { trustedProxies: ['127.0.0.1'] } });
});
afterEach(() => server.close());

type Fields = Readonly<Record<string, string>>;
const get = (path = '/', headers: Fields = {}): Promise<TestResponse> => server.request('GET', path, { headers });
const post = (form: Fields, headers: Fields = {}): Promise<TestResponse> =>
  server.request('POST', '/', { rawBody: new URLSearchParams(form).toString(), headers });
const cookieOf = (reply: TestResponse): string => reply.headers.get('set-cookie')?.split(';')[0] ?? '';
const formTokenOf = (page: string): string => /name="token" value="([^"]+)"/.exec(page)?.[1] ?? '';

const setup = { action: 'create-first-administrator', setup: 'once', localpart: 'admin', password: 'long enough' };
/** Makes the first administrator; gives the session's cookie and form token. */
async function signedIn(): Promise<{ cookie: string; token: string }> {
  accounts.setupToken = 'once';
  const cookie = cookieOf(await post(setup));
  return { cookie, token: formTokenOf((await get('/', { cookie })).text) };
}

describe('the start page', () => {
  it('says what the server is and how to connect, in English and Russian', async () => {
    const english = await get('/', { 'accept-language': 'de,en;q=0.5' });
    expect([english.status, english.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    for (const text of ['example.org', 'https://matrix.example.org', 'This server is running.', 'veche 1.2.3'])
      expect(english.text).toContain(text);
    expect(english.text).toContain('<html lang="en">');
    const russian = await get('/', { 'accept-language': 'ru-RU,ru;q=0.9' });
    expect(russian.text).toContain('<html lang="ru">');
    expect(russian.text).toContain('Сервер работает.');
    expect((await get('/?lang=ru', { 'accept-language': 'en' })).text).toContain('Сервер работает.');
    problem = 'database';
    expect((await get()).text).toContain('Not everything works at the moment (database).');
  });

  it('loads nothing, runs nothing, and is shown in no frame', async () => {
    const { text, headers } = await get();
    expect(text).not.toMatch(/<(script|img|iframe|object|embed)|\ssrc=|\son\w+=|\sstyle=|@import|url\(/);
    const style = /<style>(.*?)<\/style>/s.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'sha256-${hash}'`);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("form-action 'self'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('has a label for every field, and every hint that a field names', async () => {
    const { cookie } = await signedIn();
    accounts.setupToken = 'again';
    for (const page of [await get(), await get('/?setup=x'), await get('/', { cookie })]) {
      const ids = new Set([...page.text.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]));
      for (const [, id] of page.text.matchAll(/\s(?:for|aria-describedby)="([^"]+)"/g)) expect(ids).toContain(id);
      const labelled = new Set([...page.text.matchAll(/\sfor="([^"]+)"/g)].map((match) => match[1]));
      for (const [tag] of page.text.matchAll(/<input[^>]*>/g)) {
        if (/type="(hidden|checkbox)"/.test(tag)) continue;
        expect(labelled).toContain(/\sid="([^"]+)"/.exec(tag)?.[1]);
      }
      expect(page.text.match(/<h1>/g)).toHaveLength(1);
    }
  });
});

describe('the first administrator', () => {
  it('is made by the one-time link, and signed in', async () => {
    expect((await get()).text).toContain('Open the one-time link');
    expect((await get('/?setup=once')).text).toContain('href="/?lang=ru&amp;setup=once"');
    expect((await get()).text).not.toContain('<form');
    accounts.setupToken = 'once';
    const link = firstAdministratorLink(server.url, 'once');
    expect(await (await fetch(link)).text()).toContain('name="setup" value="once"');
    const made = await post(setup);
    expect([made.status, made.headers.get('location')]).toEqual([303, '/?lang=en']);
    expect(made.headers.get('set-cookie')).toMatch(/^veche_session=session%3B1; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(accounts.accounts.get('admin')).toEqual({ password: 'long enough', isAdmin: true });
    const page = await get('/', { cookie: `other=1; ${cookieOf(made)}` });
    expect(page.text).toContain('You are signed in as @admin:example.org.');
  });

  it('is not made by a wrong link, a bad name or password, or twice; what was typed stays, the password does not', async () => {
    accounts.setupToken = 'once';
    const attempts: [Fields, number, string][] = [
      [{ ...setup, setup: 'wrong' }, 403, 'This link is not valid'],
      [{ ...setup, localpart: '"><script>Ж' }, 400, 'This name has characters'],
      [{ ...setup, password: 'short' }, 400, 'needs at least 8 characters'],
    ];
    for (const [form, status, sentence] of attempts) {
      const reply = await post(form);
      expect([reply.status, reply.headers.get('set-cookie')]).toEqual([status, null]);
      expect(reply.text).toContain(sentence);
      expect(reply.text).toContain('role="alert"');
      expect(reply.text).not.toContain(form.password);
      expect(reply.text).not.toContain('<script>');
    }
    expect((await post({ ...setup, localpart: '"><b>' })).text).toContain('value="&quot;&gt;&lt;b&gt;"');
    expect(accounts.accounts.size).toBe(0);
    expect((await post(setup)).status).toBe(303);
    expect((await post({ ...setup, localpart: 'second' })).status).toBe(429);
    expect(accounts.accounts.size).toBe(1);
  });

  it('is not made when there is one', async () => {
    await signedIn();
    accounts.setupToken = 'once';
    const reply = await post({ ...setup, localpart: 'second' });
    expect([reply.status, accounts.accounts.size]).toEqual([403, 1]);
    expect(reply.text).toContain('There is an administrator already.');
    expect((await get('/?setup=once')).text).not.toContain('name="setup"');
  });
});

describe('signing in', () => {
  it('takes an administrator, and over HTTPS a cookie that stays there', async () => {
    await signedIn();
    const form = { action: 'sign-in', user: 'admin', password: 'long enough' };
    const reply = await post(form, { 'x-forwarded-proto': 'https', host: 'example.org' });
    expect(reply.headers.get('set-cookie')).toMatch(
      /^__Host-veche_session=[^;]+; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    const page = await get('/', { cookie: cookieOf(reply), 'x-forwarded-proto': 'https' });
    expect(page.text).toContain('You are signed in as');
  });

  it('refuses a wrong password, and everyone who is no administrator', async () => {
    const { cookie } = await signedIn();
    accounts.accounts.set('user', { password: 'long enough', isAdmin: false });
    const wrong = await post({ action: 'sign-in', user: 'admin', password: 'wrong guess' });
    expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([403, null]);
    expect(wrong.text).toContain('The name or the password is wrong.');
    expect(wrong.text).toContain('value="admin"');
    expect(wrong.text).not.toContain('wrong guess');
    const user = await post({ action: 'sign-in', user: 'user', password: 'long enough' });
    expect([user.status, user.headers.get('set-cookie')]).toEqual([403, null]);
    expect(user.text).toContain('Only administrators can sign in here.');
    expect([...accounts.sessions.values()]).toEqual(['admin']);
    accounts.accounts.set('admin', { password: 'x', isAdmin: false });
    expect((await get('/', { cookie })).text).not.toContain('You are signed in as');
  });

  it('is limited by address', async () => {
    await signedIn();
    const form = { action: 'sign-in', user: 'admin', password: 'guess' };
    const statuses = [];
    for (let index = 0; index < 5; index++) statuses.push((await post(form)).status);
    expect(statuses).toEqual([403, 403, 403, 403, 429]);
    expect((await post({ ...form, lang: 'ru' })).text).toContain('Слишком много попыток. Повторите через 10 с.');
    expect((await post(form, { 'x-forwarded-for': '192.0.2.1' })).status).toBe(403);
  });

  it('ends', async () => {
    const { cookie, token } = await signedIn();
    const reply = await post({ action: 'sign-out', token }, { cookie });
    expect([reply.status, reply.headers.get('set-cookie')]).toEqual([
      303,
      'veche_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict',
    ]);
    expect(accounts.sessions.size).toBe(0);
    expect((await get('/', { cookie })).text).not.toContain('You are signed in as');
  });
});

describe('what a signed-in administrator does', () => {
  it('makes accounts', async () => {
    const { cookie, token } = await signedIn();
    const form = { action: 'create-account', token, localpart: ' anna ', password: 'her password' };
    const reply = await post(form, { cookie });
    expect(reply.status).toBe(200);
    expect(reply.text).toContain('role="status"');
    expect(reply.text).toContain('The account @anna:example.org is ready.');
    expect(accounts.accounts.get('anna')).toEqual({ password: 'her password', isAdmin: false });
    await post({ ...form, localpart: 'boss', admin: 'yes' }, { cookie });
    expect(accounts.accounts.get('boss')?.isAdmin).toBe(true);
    const again = await post(form, { cookie });
    expect(again.status).toBe(400);
    expect(again.text).toContain('This name is taken.');
    expect(again.text).not.toContain('her password');
  });

  it('makes registration tokens', async () => {
    const { cookie, token } = await signedIn();
    const form = { action: 'create-registration-token', token };
    expect((await post({ ...form, uses: '', days: '' }, { cookie })).text).toContain('<code>token-1</code>');
    await post({ ...form, uses: '5', days: '7' }, { cookie });
    expect(accounts.registrationTokens).toEqual([
      { usesAllowed: undefined, expiresMs: undefined },
      { usesAllowed: 5, expiresMs: testEpochMs + 7 * 86_400_000 },
    ]);
    for (const bad of ['0', '-1', '1.5', 'x', '9999999999']) {
      const reply = await post({ ...form, uses: bad }, { cookie });
      expect(reply.status).toBe(400);
      expect(reply.text).toContain('Enter a whole number from 1 to 1000000');
    }
    expect(accounts.registrationTokens).toHaveLength(2);
  });

  it('needs a session', async () => {
    const { token } = await signedIn();
    const form = { action: 'create-account', token, localpart: 'anna', password: 'her password' };
    for (const headers of [
      {},
      { cookie: 'veche_session=' },
      { cookie: 'veche_session=%FF' },
      { cookie: 'veche_session=x' },
    ])
      expect((await post(form, headers)).status).toBe(401);
    expect(accounts.accounts.has('anna')).toBe(false);
  });
});

describe('forms of other sites', () => {
  it('do nothing, whatever they know', async () => {
    const { cookie, token } = await signedIn();
    const make = { action: 'create-account', token, localpart: 'anna', password: 'her password' };
    const foreign: Fields[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none', origin: server.url },
    ];
    for (const headers of foreign) {
      const reply = await post(make, { cookie, ...headers });
      expect([headers, reply.status]).toEqual([headers, 403]);
      const signIn = await post({ action: 'sign-in', user: 'admin', password: 'long enough' }, headers);
      expect([headers, signIn.status, signIn.headers.get('set-cookie')]).toEqual([headers, 403, null]);
    }
    for (const wrong of ['', 'x', token.slice(1), `${token}x`]) {
      const reply = await post({ ...make, token: wrong }, { cookie });
      expect([reply.status, reply.text.includes('did not come from this page')]).toEqual([403, true]);
    }
    expect(accounts.accounts.has('anna')).toBe(false);
    const ours: Fields[] = [
      { origin: server.url },
      { origin: 'https://matrix.example.org' },
      { 'sec-fetch-site': 'same-origin' },
    ];
    for (const [index, headers] of ours.entries())
      expect((await post({ ...make, localpart: `anna${index}` }, { cookie, ...headers })).status).toBe(200);
  });

  it.each([
    ['', 'M_MISSING_PARAM'],
    ['action=explode', 'M_INVALID_PARAM'],
    ['action=%FF', 'M_INVALID_PARAM'],
    [`action=sign-in&user=${'x'.repeat(2_000)}`, 'M_INVALID_PARAM'],
    [`action=sign-in&user=${'x'.repeat(20_000)}`, 'M_TOO_LARGE'],
  ])('that are none are errors: %.30s', async (rawBody, errcode) => {
    expect((await server.request('POST', '/', { rawBody })).json.errcode).toBe(errcode);
  });
});
