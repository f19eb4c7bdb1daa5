import { expect, test } from 'vitest';
import { SyncFilters } from '../../src/accounts/sync-filters.ts';

test('keeps the parsed filter of each user until it is forgotten', () => {
  const filters = new SyncFilters();
  const kept = filters.keep(1, '0', { room: { timeline: { limit: 7 } } });
  expect(kept.room.timeline.limit).toBe(7);
  expect(filters.find(1, '0')).toBe(kept);
  expect(filters.find(2, '0')).toBeUndefined();
  expect(filters.find(1, '1')).toBeUndefined();
  filters.forget(1, '0');
  expect(filters.find(1, '0')).toBeUndefined();
});
