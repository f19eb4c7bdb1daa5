import { describe, expect, it } from 'vitest';
import type { Letter } from '../../src/mail/letter.ts';
import { letterHtml, letterText } from '../../src/mail/letter.ts';
import { Mailer } from '../../src/mail/mailer.ts';
import { isMailAddress } from '../../src/matrix/ids/email.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import type { Config } from '../../src/platform/config/config.ts';
import { limits } from '../../src/platform/limits.ts';
import { MailError } from '../../src/platform/mail-error.ts';
import { SemaphoreFull } from '../../src/platform/semaphore.ts';
import { testPorts } from '../support/test-ports.ts';

const letter: Letter = {
  language: 'en',
  subject: 'Hello',
  parts: [
    { kind: 'text', text: 'One & <two>' },
    { kind: 'link', label: 'Follow', url: 'https://test.example/?a=1&b=2' },
    { kind: 'code', text: '123 456' },
    { kind: 'quote', from: 'Alice', text: 'first\nsecond' },
    { kind: 'note', text: 'small' },
  ],
};

function emailConfig(more: Record<string, string> = {}): Config['email'] {
  return loadConfig(undefined, {
    VECHE_EMAIL__SMTP__HOST: 'mail.test.example',
    VECHE_EMAIL__FROM: 'matrix@test.example',
    ...more,
  }).email;
}

describe('a letter', () => {
  it('says the same in text and in HTML, where nothing that was put in is markup', () => {
    expect(letterText(letter)).toBe(
      'One & <two>\n\nFollow:\nhttps://test.example/?a=1&b=2\n\n    123 456\n\nAlice:\n> first\n> second\n\nsmall\n',
    );
    const markup = letterHtml(letter);
    expect(markup).toContain('<p>One &amp; &lt;two&gt;</p>');
    expect(markup).toContain('href="https://test.example/?a=1&amp;b=2"');
    expect(markup).not.toMatch(/<img|<script|<link/);
  });
});

describe('the mailer', () => {
  it('hands letters over, with the configured sender', async () => {
    const ports = testPorts();
    const mailer = new Mailer(emailConfig(), ports.mail);
    await mailer.send('alice@test.example', letter, { 'List-Unsubscribe': '<https://test.example/>' });
    expect(ports.sentMail).toMatchObject([
      {
        from: 'matrix@test.example',
        to: 'alice@test.example',
        subject: 'Hello',
        headers: { 'List-Unsubscribe': '<https://test.example/>' },
      },
    ]);
  });

  it('writes only to whom the configuration lets it', async () => {
    const ports = testPorts();
    const lists = {
      VECHE_EMAIL__ALLOWED_ADDRESSES: '["*@School.example", "head@town.example"]',
      VECHE_EMAIL__DENIED_ADDRESSES: '["all@school.example"]',
    };
    const mailer = new Mailer(emailConfig(lists), ports.mail);
    const addresses = ['pupil@school.example', 'Pupil@SCHOOL.example', 'head@town.example', 'all@school.example'];
    expect(addresses.map((address) => mailer.accepts(address))).toEqual([true, true, true, false]);
    for (const address of ['x@else.example', 'all@school.example', 'a@b@school.example', 'no address'])
      await expect(mailer.send(address, letter)).rejects.toMatchObject({ failure: 'refused' });
    expect(ports.sentMail).toEqual([]);
  });

  it('sends nothing without a mail server', async () => {
    const ports = testPorts();
    const mailer = new Mailer(loadConfig(undefined, {}).email, ports.mail);
    expect(mailer.isConfigured).toBe(false);
    await expect(mailer.send('alice@test.example', letter)).rejects.toThrow(MailError);
    expect(ports.sentMail).toEqual([]);
  });

  it('has few messages on their way at once, and refuses when too many wait', async () => {
    let running = 0;
    let most = 0;
    const gate = Promise.withResolvers<void>();
    const mail = {
      async send() {
        most = Math.max(most, ++running);
        await gate.promise;
        running -= 1;
      },
    };
    const mailer = new Mailer(emailConfig(), mail);
    const taken = Array.from({ length: limits.mailsAtOnceMax + limits.mailsWaitingMax }, () =>
      mailer.send('alice@test.example', letter),
    );
    await expect(mailer.send('alice@test.example', letter)).rejects.toThrow(SemaphoreFull);
    gate.resolve();
    await Promise.all(taken);
    expect(most).toBe(limits.mailsAtOnceMax);
  });
});

describe('an address that can be written to', () => {
  it('is one mailbox and nothing else', () => {
    const good = ['a@b', 'first.last+tag@mail.example.org', "o'neil@example.org", 'почта@пример.рф'];
    const bad = [
      '',
      'a',
      '@b',
      'a@',
      'a b@c',
      'a@b c',
      'a,b@c',
      'a@b,c@d',
      '"a b"@c',
      'a@b\r\nX: y',
      'a@[127.0.0.1]',
      '<a@b>',
      '.a@b',
      'a..b@c',
      'a@-b',
      'a@b..c',
      `${'a'.repeat(65)}@b`,
      `a@${'b'.repeat(260)}`,
      'a@b;c',
    ];
    expect(good.filter((address) => !isMailAddress(address))).toEqual([]);
    expect(bad.filter(isMailAddress)).toEqual([]);
  });
});
