import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Relation, relationOf, threadRootOf } from '../../../src/matrix/events/relations.ts';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import type { JsonValue } from '../../../src/matrix/json/json-value.ts';

const relating = (relation: JsonValue) => ({ content: { 'm.relates_to': relation } });
const to = (relType: string, targetId: string) => relating({ rel_type: relType, event_id: targetId });

describe('the relation of an event', () => {
  it('has a type and a target', () => {
    expect(relationOf(to('m.thread', '$root'))).toEqual({ relType: 'm.thread', targetId: '$root', key: undefined });
    expect(relationOf(relating({ rel_type: 'm.annotation', event_id: '$a', key: '👍' }))?.key).toBe('👍');
    expect(relationOf(relating({ rel_type: 'm.annotation', event_id: '$a', key: 1 }))?.key).toBeUndefined();
  });

  it('is none where the schema is not met', () => {
    const tooLong = 'x'.repeat(256);
    const wrong: JsonValue[] = [
      null,
      'text',
      [],
      {},
      { 'm.in_reply_to': { event_id: '$a' } },
      { rel_type: 'm.thread' },
      { event_id: '$a' },
      { rel_type: 1, event_id: '$a' },
      { rel_type: 'm.thread', event_id: 'a' },
      { rel_type: 'm.thread', event_id: `$${tooLong}` },
      { rel_type: tooLong, event_id: '$a' },
      { rel_type: 'a\0b', event_id: '$a' },
      { rel_type: 'a\ud800', event_id: '$a' },
    ];
    for (const relation of wrong) expect(relationOf(relating(relation)), JSON.stringify(relation)).toBeUndefined();
    expect(relationOf({ content: {} })).toBeUndefined();
  });

  it('is read from anything', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void relationOf(relating(value as JsonValue))));
  });
});

describe('the thread of an event', () => {
  const earlier = new Map<string, Relation | undefined>(
    Object.entries({
      $message: to('m.thread', '$root'),
      $edit: to('m.replace', '$message'),
      $reaction: to('m.annotation', '$edit'),
      $editOfRoot: to('m.replace', '$root'),
      $circle: to('m.reference', '$circle'),
    }).map(([id, event]) => [id, relationOf(event)]),
  );
  const find = (eventId: EventId) => earlier.get(eventId);

  it('is named by itself, or by what it relates to, three relations away at most', () => {
    expect(threadRootOf(to('m.thread', '$root'), find)).toBe('$root');
    expect(threadRootOf(to('m.annotation', '$message'), find)).toBe('$root');
    expect(threadRootOf(to('m.annotation', '$edit'), find)).toBe('$root');
    expect(threadRootOf(to('m.reference', '$reaction'), find)).toBeUndefined();
  });

  it('is none for the main timeline, roots, and what relates to roots otherwise', () => {
    expect(threadRootOf({ content: {} }, find)).toBeUndefined();
    expect(threadRootOf(to('m.annotation', '$root'), find)).toBeUndefined();
    expect(threadRootOf(to('m.annotation', '$editOfRoot'), find)).toBeUndefined();
    expect(threadRootOf(to('m.annotation', '$unknown'), find)).toBeUndefined();
    expect(threadRootOf(to('m.reference', '$circle'), find)).toBeUndefined();
  });
});
