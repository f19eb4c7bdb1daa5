/** An account from its first e-mail to a forgotten password, by way of an unmodified client and a real mail server. */
import * as sdk from 'matrix-js-sdk';
import { expect, it } from 'vitest';
import { startLoopbackServer } from '../support/loopback-server.ts';
import { emailSectionFor, linkIn, type ReceivedMail, useMailServer } from '../support/mail-server.ts';
import { quietClient } from './support/person.ts';

const mail = useMailServer();
const address = 'alice@example.org';

it('is made, signed in to by a token, given another address and saved by a new password with matrix-js-sdk', async () => {
  const server = await startLoopbackServer({
    config: {
      email: emailSectionFor(mail),
      registration: '{ enabled: true, email: required }',
    },
  });
  const baseUrl = server.url;
  const secret = 'a-secret-of-the-client';
  const anonymous = quietClient({ baseUrl });
  try {
    // Registering: the client asks again and again until the link was followed.
    const { sid } = await anonymous.requestRegisterEmailToken(address, secret, 1);
    const body = { username: 'alice', password: 'first password' };
    const begun = await uiaError(anonymous.registerRequest(body));
    expect(begun.data.flows).toEqual([{ stages: ['m.login.email.identity'] }]);
    const auth = (id: string) => ({
      type: 'm.login.email.identity',
      threepid_creds: { sid: id, client_secret: secret },
    });
    const session = begun.data['session'] as string;
    const early = await uiaError(anonymous.registerRequest({ ...body, auth: { ...auth(sid), session } }));
    expect(early.errcode).toBe('M_UNAUTHORIZED');
    await confirm(await mail.waitFor(address), baseUrl);
    const registered = await anonymous.registerRequest({ ...body, auth: { ...auth(sid), session } });
    expect(registered.user_id).toBe('@alice:localhost');
    const { access_token: accessToken = '', device_id: deviceId = '', user_id: userId } = registered;
    const alice = quietClient({ baseUrl, accessToken, deviceId, userId });
    expect((await alice.getThreePids()).threepids).toMatchObject([{ medium: 'email', address }]);

    // Another device logs in by a token from this one.
    const passwordAuth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: userId },
      password: 'first password',
    };
    const capabilities = await alice.getCapabilities();
    expect(capabilities).toMatchObject({ 'm.get_login_token': { enabled: true }, 'm.3pid_changes': { enabled: true } });
    const issued = await alice.requestLoginToken({ ...passwordAuth, session: undefined });
    if (!('login_token' in issued)) throw new Error('no login token');
    const second = await anonymous.loginRequest({ type: 'm.login.token', token: issued.login_token });
    expect(second.user_id).toBe(userId);

    // A second address, with the password.
    const other = await alice.requestAdd3pidEmailToken('second@example.org', secret, 1);
    await confirm(await mail.waitFor('second@example.org'), baseUrl);
    const toAdd = { sid: other.sid, client_secret: secret };
    const asked = await uiaError(alice.addThreePidOnly(toAdd));
    const confirming = { ...passwordAuth, session: asked.data['session'] as string };
    await alice.addThreePidOnly({ ...toAdd, auth: confirming });
    expect((await alice.getThreePids()).threepids).toHaveLength(2);
    await alice.deleteThreePid('email', 'second@example.org');

    // The password is forgotten: the mailbox is enough, and all devices are logged out.
    const forgotten = await anonymous.requestPasswordEmailToken(address, secret, 1);
    await confirm(await mail.waitFor(address, 2), baseUrl);
    await anonymous.setPassword(auth(forgotten.sid), 'second password', true);
    await expect(alice.whoami()).rejects.toMatchObject({ errcode: 'M_UNKNOWN_TOKEN' });
    const identifier = { type: 'm.id.thirdparty', medium: 'email', address };
    const again = await anonymous.loginRequest({ type: 'm.login.password', identifier, password: 'second password' });
    expect(again.user_id).toBe(userId);
  } finally {
    await server.close();
  }
});

/** What a person does with a message: opens its link and presses the button. */
async function confirm(message: ReceivedMail, baseUrl: string): Promise<void> {
  const link = linkIn(message);
  const page = await fetch(baseUrl + link.pathname + link.search);
  expect(await page.text()).toContain('<button>');
  const sent = await fetch(baseUrl + link.pathname, { method: 'POST', body: link.searchParams });
  expect(await sent.text()).toContain('is confirmed');
}

async function uiaError(request: Promise<unknown>): Promise<sdk.MatrixError> {
  const error: unknown = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof sdk.MatrixError) || error.httpStatus !== 401)
    throw new Error('401 was expected', { cause: error });
  return error;
}
