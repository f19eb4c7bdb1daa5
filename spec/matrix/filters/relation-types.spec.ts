import { describe, expect, it } from 'vitest';
import { parseRoomEventFilter } from '../../../src/matrix/filters/event-filter.ts';
import { matchesRoomEventFilter } from '../../../src/matrix/filters/matches-filter.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';

const related = (relType: string): JsonObject => ({ 'm.relates_to': { rel_type: relType, event_id: '$target' } });
const contents: Readonly<Record<string, JsonObject>> = {
  none: {},
  reply: { 'm.relates_to': { 'm.in_reply_to': { event_id: '$target' } } },
  thread: related('m.thread'),
  reference: related('m.reference'),
};
const passing = (filter: JsonObject): string[] =>
  Object.keys(contents).filter((name) =>
    matchesRoomEventFilter(parseRoomEventFilter(filter, 'filter'), {
      type: 'm.room.message',
      content: contents[name] ?? {},
    }),
  );

describe('filters by the type of the relation (MSC3874)', () => {
  it('take and leave out events by how they relate to others', () => {
    const of = (relTypes?: string[], notRelTypes?: string[]): string[] =>
      passing({
        ...(relTypes === undefined ? {} : { 'org.matrix.msc3874.rel_types': relTypes }),
        ...(notRelTypes === undefined ? {} : { 'org.matrix.msc3874.not_rel_types': notRelTypes }),
      });
    expect(of()).toEqual(['none', 'reply', 'thread', 'reference']);
    expect(of(['m.thread'])).toEqual(['thread']);
    expect(of(['m.thread', 'm.reference'])).toEqual(['thread', 'reference']);
    expect(of([])).toEqual([]);
    expect(of(undefined, ['m.thread'])).toEqual(['none', 'reply', 'reference']);
    expect(of(undefined, [])).toEqual(['none', 'reply', 'thread', 'reference']);
    expect(of(['m.thread', 'm.reference'], ['m.thread'])).toEqual(['reference']);
  });

  it('are lists of texts', () => {
    for (const wrong of ['m.thread', [5], {}])
      expect(() => passing({ 'org.matrix.msc3874.rel_types': wrong })).toThrow('rel_types');
  });
});
