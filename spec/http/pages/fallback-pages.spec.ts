import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { emailSectionFor, linkIn, startMailServer } from '../../support/mail-server.ts';
import { startLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { succeeded, TestClient } from '../../support/test-client.ts';
import { requestJson, type TestResponse } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';
type Fields = Readonly<Record<string, string>>;

/** As a browser does. */
function browserOf(url: string) {
  const path = (type: string): string => `${v3}/auth/${encodeURIComponent(type)}/fallback/web`;
  return {
    open: (type: string, session: string): Promise<TestResponse> =>
      requestJson(url, 'GET', path(type), { query: { session }, headers: { 'accept-language': 'en' } }),
    submit: (type: string, fields: Fields): Promise<TestResponse> =>
      requestJson(url, 'POST', path(type), {
        rawBody: new URLSearchParams({ lang: 'en', ...fields }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
  };
}

function scriptIn({ text }: TestResponse): string {
  return /<script>([^]*?)<\/script>/.exec(text)?.[1] ?? '';
}
const hiddenIn = ({ text }: TestResponse, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? '';

describe('pages for stages that an app does not know', () => {
  const at = useLoopbackServer({
    config: {
      registration:
        '{ enabled: true, require_token: true, terms: [{ id: privacy, version: "1", languages: { en: { name: "Privacy & more", url: "https://example.org/privacy" } } }] }',
    },
  });
  const register = (body: JsonObject) => TestClient.nobody(at).call('POST', '/register', body);
  const account = { username: 'alice', password: passwordOfTests };

  it('make an account, stage by stage, and the request needs only the session', async () => {
    const { token } = await at.server.accounts.registrationTokens.create({
      token: 'letmein',
      length: undefined,
      usesAllowed: 1,
      expiryTs: undefined,
    });
    const session = String((await register(account)).json['session']);
    const { open, submit } = browserOf(at.url);
    const asked = await open('m.login.registration_token', session);
    expect(asked.status).toBe(200);
    expect(asked.headers.get('content-security-policy')).not.toContain('script-src');
    expect(hiddenIn(asked, 'session')).toBe(session);
    const wrong = await submit('m.login.registration_token', { session, token: 'wrong' });
    expect([wrong.status, wrong.text.includes('That was not right')]).toEqual([401, true]);
    const early = await open('m.login.terms', session);
    expect([early.status, early.text.includes('not to be done')]).toEqual([400, true]);
    expect((await submit('m.login.registration_token', { session, token: ` ${token} ` })).status).toBe(200);
    const terms = await open('m.login.terms', session);
    expect(terms.text).toContain('<a href="https://example.org/privacy"');
    expect(terms.text).toContain('Privacy &amp; more');
    expect((await submit('m.login.terms', { session })).status).toBe(200);
    const between = await register({ ...account, auth: { session } });
    expect([between.status, between.json['completed']]).toEqual([401, ['m.login.registration_token', 'm.login.terms']]);
    // From here on the session is this request's.
    const other = { username: 'mallory', password: passwordOfTests, auth: { session } };
    expect(refusal(await register(other))).toEqual([403, 'M_FORBIDDEN']);
    expect((await submit('m.login.dummy', { session })).status).toBe(200);
    expect((await register({ ...account, auth: { session } })).json['user_id']).toBe('@alice:localhost');
  });

  it('tell the app that opened them, and nobody else can run anything there', async () => {
    await at.server.accounts.registrationTokens.create({
      token: 'again',
      length: undefined,
      usesAllowed: 1,
      expiryTs: undefined,
    });
    const session = String((await register(account)).json['session']);
    const { open, submit } = browserOf(at.url);
    for (const page of [
      await submit('m.login.registration_token', { session, token: 'again' }),
      await open('m.login.registration_token', session),
    ]) {
      const script = scriptIn(page);
      const hash = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script))).toString(
        'base64',
      );
      expect(page.headers.get('content-security-policy')).toContain(`script-src 'sha256-${hash}'`);
      let calls = 0;
      runInNewContext(script, { window: { onAuthDone: () => calls++ } });
      const posted: unknown[] = [];
      const opener = { postMessage: (...message: unknown[]) => posted.push(message) };
      runInNewContext(script, { window: { opener } });
      expect([calls, posted]).toEqual([1, [['authDone', '*']]]);
    }
  });

  it('are none for sessions and stages that are not there, and show nothing that is typed as markup', async () => {
    const { open, submit } = browserOf(at.url);
    const hostile = '"><script>alert(1)</script>';
    for (const page of [
      await open('m.login.dummy', hostile),
      await submit('m.login.dummy', { session: hostile }),
      await submit(`m.login.${hostile}`, { session: hostile }),
    ]) {
      expect(page.status).toBe(400);
      expect(page.text).not.toContain('<script>');
    }
    expect((await open('m.login.recaptcha', 'x')).status).toBe(400);
    expect(refusal(await open('unknown', 'x'))).toEqual([404, 'M_NOT_FOUND']);
  });
});

describe('the page for a password', () => {
  const at = useLoopbackServer();

  it('is about the account of whoever asked, and takes only its password', async () => {
    const alice = await TestClient.register(at, 'alice');
    const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' } };
    const second = await succeeded(
      TestClient.nobody(at).call('POST', '/login', { ...login, password: passwordOfTests, device_id: 'SECOND' }),
    );
    expect(second['device_id']).toBe('SECOND');
    const remove = (auth?: JsonObject) => alice.call('DELETE', '/devices/SECOND', auth === undefined ? {} : { auth });
    const session = String((await remove()).json['session']);
    const { open, submit } = browserOf(at.url);
    const page = await open('m.login.password', session);
    expect(page.text).toContain('@alice:localhost');
    expect(page.text).not.toContain('name="user"');
    const wrong = await submit('m.login.password', { session, password: 'wrong' });
    expect([wrong.status, wrong.text.includes('That was not right')]).toEqual([401, true]);
    expect((await remove({ session })).status).toBe(401);
    expect((await submit('m.login.password', { session, password: passwordOfTests })).status).toBe(200);
    expect(refusal(await remove({ session }))).toEqual([200, undefined]);
  });
});

describe('the page for an e-mail address', () => {
  it('sends the message, and goes on when its link was followed', async () => {
    const mail = await startMailServer();
    const server = await startLoopbackServer({
      config: { email: emailSectionFor(mail), registration: '{ enabled: true, email: required }' },
    });
    try {
      const body = { username: 'alice', password: passwordOfTests };
      const register = (auth?: JsonObject) =>
        TestClient.nobody(server).call('POST', '/register', auth === undefined ? body : { ...body, auth });
      const session = String((await register()).json['session']);
      const { submit } = browserOf(server.url);
      const type = 'm.login.email.identity';
      const refused = await submit(type, { session, email: 'nonsense' });
      expect([refused.status, refused.text.includes('That did not work')]).toEqual([400, true]);
      const sent = await submit(type, { session, email: 'alice@example.org' });
      expect(sent.text).toContain('A message was sent to alice@example.org');
      const names = ['address', 'sid', 'client_secret'];
      const fields = { session, ...Object.fromEntries(names.map((name) => [name, hiddenIn(sent, name)])) };
      const early = await submit(type, fields);
      expect([early.status, early.text.includes('not confirmed yet')]).toEqual([401, true]);
      expect(hiddenIn(early, 'sid')).toBe(fields['sid' as keyof typeof fields]);
      const link = linkIn(await mail.waitFor('alice@example.org'));
      await fetch(server.url + link.pathname, { method: 'POST', body: new URLSearchParams(link.search) });
      expect((await submit(type, fields)).status).toBe(200);
      expect((await register({ session })).json['user_id']).toBe('@alice:localhost');
    } finally {
      await server.close();
      await mail.close();
    }
  });
});

describe('the page to sign in', () => {
  const at = useLoopbackServer();

  it('runs one script, which is ours, and takes what the app wants to have forwarded', async () => {
    for (const path of ['/_matrix/static/client/login/?device_id=X', '/_matrix/static/client/login']) {
      const page = await requestJson(at.url, 'GET', path, { headers: { 'accept-language': 'ru' } });
      expect([page.status, page.headers.get('content-language')]).toEqual([200, 'ru']);
      const script = scriptIn(page);
      const hash = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script))).toString(
        'base64',
      );
      expect(page.headers.get('content-security-policy')).toContain(`script-src 'sha256-${hash}'; connect-src 'self'`);
      expect(page.text).not.toContain('device_id=X');
    }
  });
});
