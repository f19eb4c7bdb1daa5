/** Unread messages in a real mailbox, for an unmodified client that has switched that on. */
import { expect, it } from 'vitest';
import { startLoopbackServer } from '../support/loopback-server.ts';
import { emailSectionFor, linkIn, useMailServer } from '../support/mail-server.ts';
import { passwordOfTests, refusal } from '../support/test-accounts.ts';
import { succeeded, TestClient } from '../support/test-client.ts';

const mail = useMailServer();
const address = 'bob@example.org';

it('come from the mail server that is configured, in the language of the app', async () => {
  const server = await startLoopbackServer({
    config: { email: emailSectionFor(mail), push: '{ email_delay_seconds: 1, email_interval_seconds: 1 }' },
  });
  try {
    const [alice, bob] = [await TestClient.register(server, 'alice'), await TestClient.register(server, 'bob')];
    const pusher = {
      kind: 'email',
      app_id: 'm.email',
      pushkey: address,
      app_display_name: 'Email Notifications',
      device_display_name: address,
      lang: 'ru-RU',
      data: { brand: 'Element' },
      append: true,
    };
    expect(refusal(await bob.post('/pushers/set', pusher))).toEqual([400, 'M_THREEPID_NOT_FOUND']);
    const secret = { client_secret: 'secret' };
    const asked = await succeeded(
      bob.post('/account/3pid/email/requestToken', { ...secret, email: address, send_attempt: 1 }),
    );
    const link = linkIn(await mail.waitFor(address));
    const form = new URLSearchParams(link.search);
    await fetch(`${server.url}${link.pathname}`, { method: 'POST', body: form });
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'bob' },
      password: passwordOfTests,
    };
    await succeeded(bob.post('/account/3pid/add', { ...secret, sid: asked['sid'] ?? '', auth }));
    await succeeded(bob.post('/pushers/set', pusher));
    expect((await bob.get('/pushers')).json).toMatchObject({ pushers: [{ kind: 'email', pushkey: address }] });

    const roomId = await alice.createRoom({ preset: 'public_chat', name: 'Вече' });
    await succeeded(bob.post(`/join/${encodeURIComponent(roomId)}`));
    await alice.say(roomId, 'Приходите <b>завтра</b>');
    const told = await mail.waitFor(address, 2);
    expect(told.subject).toBe('localhost: непрочитанные сообщения (1)');
    expect(told.text).toContain('Вече (1)');
    expect(told.text).toContain('> Приходите <b>завтра</b>');
    expect(told.html).toContain('&lt;b&gt;завтра&lt;/b&gt;');

    await succeeded(bob.post('/account/3pid/delete', { medium: 'email', address }));
    expect((await bob.get('/pushers')).json).toEqual({ pushers: [] });
  } finally {
    await server.close();
  }
});
