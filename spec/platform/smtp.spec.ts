import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { MailError } from '../../src/platform/mail-error.ts';
import type { OutgoingMail } from '../../src/platform/ports.ts';
import { Secret } from '../../src/platform/secret.ts';
import { noMailTransport, smtpTransport, type SmtpSettings } from '../../src/platform/smtp.ts';
import { freePort } from '../support/free-port.ts';
import { type MailServer, mailServerCa, startMailServer } from '../support/mail-server.ts';

const mail: OutgoingMail = {
  from: 'Вече <matrix@test.example>',
  to: 'alice@test.example',
  subject: 'Подтвердите адрес',
  text: 'Здравствуйте!\n',
  html: '<p>Здравствуйте!</p>',
};

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function start(options: Parameters<typeof startMailServer>[0] = {}): Promise<MailServer> {
  const server = await startMailServer(options);
  closing.push(() => server.close());
  return server;
}
function transportTo(port: number, settings: Partial<SmtpSettings> = {}): ReturnType<typeof smtpTransport> {
  const caCertificates = [readFileSync(mailServerCa, 'utf8')];
  const base = { host: 'localhost', port, user: undefined, password: undefined, caCertificates } as const;
  const transport = smtpTransport({ security: 'none', ...base, ...settings });
  closing.push(() => transport.close());
  return transport;
}
const failureOf = async (sending: Promise<void>): Promise<string> =>
  sending.then(
    () => 'none',
    (error: unknown) => (error instanceof MailError ? error.failure : String(error)),
  );

describe('mail by SMTP', () => {
  it('arrives in both forms, whatever the script, and says that a program sent it', async () => {
    const server = await start();
    await transportTo(server.port).send({ ...mail, headers: { 'List-Id': '<test>' } });
    const [received] = server.mails;
    expect(received).toMatchObject({
      envelope: { from: 'matrix@test.example', to: ['alice@test.example'] },
      from: { name: 'Вече', address: 'matrix@test.example' },
      subject: 'Подтвердите адрес',
      isEncrypted: false,
    });
    expect(received?.text?.trim()).toBe('Здравствуйте!');
    expect(received?.html?.trim()).toBe('<p>Здравствуйте!</p>');
    const headers = new Map(received?.headers.map(({ key, value }) => [key, value]));
    expect([headers.get('auto-submitted'), headers.get('list-id')]).toEqual(['auto-generated', '<test>']);
  });

  it('is encrypted after the greeting or from the first byte, and logs in', async () => {
    const onAuth: NonNullable<Parameters<typeof startMailServer>[0]>['onAuth'] = (auth, _session, done) =>
      auth.username === 'matrix' && auth.password === 'secret'
        ? done(null, { user: 'matrix' })
        : done(new Error('wrong password'));
    const later = await start({ onAuth, authOptional: false });
    const login = { user: 'matrix', password: new Secret('secret') };
    await transportTo(later.port, { security: 'starttls', ...login }).send(mail);
    const atOnce = await start({ onAuth, authOptional: false, secure: true });
    await transportTo(atOnce.port, { security: 'tls', ...login }).send(mail);
    for (const { mails } of [later, atOnce])
      expect(mails).toMatchObject([{ isEncrypted: true, user: 'matrix', subject: mail.subject }]);
    const wrong = transportTo(later.port, { security: 'starttls', user: 'matrix', password: new Secret('guess') });
    expect(await failureOf(wrong.send(mail))).toBe('login');
  });

  it('is not sent where encryption is demanded and not to be had, or the certificate is not trusted', async () => {
    const plain = await start({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    expect(await failureOf(transportTo(plain.port, { security: 'starttls' }).send(mail))).toBe('tls');
    const server = await start();
    const distrusting = transportTo(server.port, { security: 'starttls', caCertificates: [] });
    expect(await failureOf(distrusting.send(mail))).toBe('tls');
    expect([plain.mails, server.mails]).toEqual([[], []]);
  });

  it('tells what may be tried again from what may not', async () => {
    const server = await start();
    const transport = transportTo(server.port);
    server.refusals.push({ code: 451, message: 'busy' }, { code: 550, message: 'no such mailbox' });
    expect(await failureOf(transport.send(mail))).toBe('later');
    expect(await failureOf(transport.send(mail))).toBe('refused');
    expect(await failureOf(transport.send(mail))).toBe('none');
    expect(await failureOf(transportTo(await freePort()).send(mail))).toBe('unreachable');
    expect(await failureOf(noMailTransport.send(mail))).toBe('not_configured');
  });

  it('goes to one address and has the subject that it was given, whatever they hold', async () => {
    const server = await start();
    const transport = transportTo(server.port);
    await transport.send({ ...mail, subject: 'one\r\nBcc: eve@test.example', text: 'x\r\n.\r\nDATA' });
    const [received] = server.mails;
    expect(received?.envelope.to).toEqual(['alice@test.example']);
    expect(received?.bcc).toBeUndefined();
    expect(received?.text?.trim()).toBe('x\n.\nDATA');
    await failureOf(transport.send({ ...mail, to: 'alice@test.example, eve@test.example' }));
    expect(server.mails.flatMap(({ envelope }) => envelope.to)).not.toContain('eve@test.example');
  });
});
