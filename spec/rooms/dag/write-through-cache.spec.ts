import { expect, it } from 'vitest';
import { type Pin, WriteThroughCache } from '../../../src/rooms/dag/write-through-cache.ts';

it('keeps what is not committed, however little it may keep', () => {
  const cache = new WriteThroughCache<number, string>(2);
  const pins: Pin[] = [];
  for (let key = 0; key < 500; key++) {
    const pin = { settled: false };
    pins.push(pin);
    cache.wrote(key, `written ${key}`, pin);
  }
  for (let key = 0; key < 500; key++) expect(cache.get(key)).toBe(`written ${key}`);
  for (const pin of pins) pin.settled = true;
  for (let key = 1000; key < 2000; key++) cache.wrote(key, 'new', { settled: true });
  expect([0, 1, 2, 3].map((key) => cache.get(key))).toEqual([undefined, undefined, undefined, undefined]);
});

it('lets what was written stand against what a query found meanwhile', () => {
  const cache = new WriteThroughCache<string, string>(10);
  cache.wrote('key', 'new', { settled: false });
  cache.keep('key', 'old');
  expect(cache.get('key')).toBe('new');
  cache.replace('key', 'newer');
  expect(cache.get('key')).toBe('newer');
  cache.replace('other', 'never written');
  expect(cache.get('other')).toBeUndefined();
  cache.keep('found', 'a');
  cache.replace('found', 'b');
  expect(cache.get('found')).toBe('b');
});
