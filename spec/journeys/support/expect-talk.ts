import { expect } from 'vitest';
import { messagesEach, type Talk } from './talk.ts';

/** What must have come of a talk, wherever the clients ran. */
export function expectTalk(talk: Talk): void {
  const { acknowledged, seenByAlice, seenByBob, pagedBack, resent, ...facts } = talk;
  expect(facts).toEqual({
    roomName: 'Veche',
    invitation: { from: '@alice:localhost', roomName: 'Veche' },
    edited: 'edited',
    reaction: { key: '👍️', senders: ['@bob:localhost'] },
    redacted: { content: {}, by: '@alice:localhost' },
    unread: { before: expect.any(Number), after: 0 },
    read: { before: false, after: true },
    typing: [false, true, false],
    afterQuietRestart: 'still there?',
  });
  expect(facts.unread.before).toBeGreaterThan(0);
  // both were sending when the server was killed
  expect(resent).toBeGreaterThan(0);
  expect(Object.keys(acknowledged)).toHaveLength(2 * messagesEach);
  expect(new Set(Object.values(acknowledged)).size).toBe(2 * messagesEach);

  for (const name of ['alice', 'bob']) {
    const own = pagedBack.filter((body) => body.startsWith(`${name} `) || isChanged(name, body));
    expect(own).toEqual(expectedOf(name));
  }
  expect(pagedBack.slice(-2)).toEqual(['read this', 'still there?']);
  expect(pagedBack).toHaveLength(2 * messagesEach + 2);
  expect(seenByAlice).toEqual(pagedBack);
  expect(seenByBob).toEqual(pagedBack);
}

/** In their order, none missing and none twice; of Alice's, one redacted and one edited. */
function expectedOf(name: string): string[] {
  const numbers = Array.from({ length: messagesEach }, (_, index) => index + 1);
  return numbers.map((number) => {
    if (name === 'alice' && number === messagesEach - 2) return '';
    return name === 'alice' && number === messagesEach ? 'edited' : `${name} ${number}`;
  });
}

const isChanged = (name: string, body: string): boolean => name === 'alice' && (body === '' || body === 'edited');
