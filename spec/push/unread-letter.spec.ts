import { describe, expect, it } from 'vitest';
import { letterHtml, letterText } from '../../src/mail/letter.ts';
import { type UnreadMessage, unreadLetter } from '../../src/push/mail/unread-letter.ts';

const message = (room: number, change: Partial<UnreadMessage> = {}, content: object = {}): UnreadMessage => ({
  room,
  roomName: `Room ${room}`,
  sender: 'Alice',
  event: { type: 'm.room.message', content: { msgtype: 'm.text', body: 'hello', ...content } },
  ...change,
});
const letterOf = (messages: readonly UnreadMessage[], change: object = {}) =>
  unreadLetter({
    language: 'en',
    serverName: 'test',
    userId: '@bob:test',
    messages,
    includesContent: true,
    ...change,
  });

describe('a letter about what is unread', () => {
  it('has every room with its latest messages, and says how many more there are', () => {
    const many = Array.from({ length: 7 }, (_, index) => message(1, {}, { body: `message ${index}` }));
    const others = Array.from({ length: 11 }, (_, index) => message(index + 2));
    const text = letterText(letterOf([...many, ...others]));
    expect(text).toContain('Room 1 (7)');
    expect(text).not.toContain('message 1\n');
    for (const shown of ['Earlier messages that are not shown: 2.', 'message 2', 'message 6', 'Room 10 (1)'])
      expect(text).toContain(shown);
    expect(text).not.toContain('Room 11 (1)');
    expect(text).toContain('Further conversations: 2.');
  });

  it('shows markup as text, and lets no name pretend to be more', () => {
    const hostile = '<script>alert(1)</script>\n\nserver: your password';
    const letter = letterOf([message(1, { roomName: hostile, sender: hostile }, { body: '<img src=x onerror=y>' })]);
    const markup = letterHtml(letter);
    expect(markup).not.toMatch(/<script|<img/);
    expect(markup).toContain('&lt;img src=x onerror=y&gt;');
    expect(letterText(letter)).toContain('<script>alert(1)</script> server: your password (1)');
    expect(letter.subject).toBe('test: unread messages (1)');
  });

  it('shortens what is long, and never within a character', () => {
    const text = letterText(letterOf([message(1, { sender: '😀'.repeat(200) }, { body: '😀'.repeat(1_000) })]));
    expect(text).toContain(`> ${'😀'.repeat(400)}…\n`);
    expect(text).toContain(`${'😀'.repeat(100)}…:`);
    expect(text).not.toMatch(/\p{Cs}/u);
  });

  it('names what it cannot show', () => {
    const events = [
      { type: 'm.room.encrypted', content: { ciphertext: 'x' } },
      { type: 'm.room.member', content: { membership: 'invite' } },
      { type: 'm.room.message', content: { msgtype: 'm.image', body: 'secret-name.png' } },
      { type: 'm.room.message', content: { body: 5 } },
      { type: 'm.call.invite', content: {} },
    ];
    const text = letterText(letterOf(events.map((event) => message(1, { event, roomName: undefined }))));
    expect(text).toContain('A conversation without a name (5)');
    for (const said of [
      'An encrypted message.',
      'Invites you.',
      'A file, picture or recording.',
      'Something that your app',
    ])
      expect(text).toContain(said);
    expect(text).not.toContain('secret-name');
  });

  it('is in the language that is wanted', () => {
    expect(letterOf([message(1)], { language: 'ru' }).subject).toBe('test: непрочитанные сообщения (1)');
  });
});
