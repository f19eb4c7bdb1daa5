import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { compareChildren, spaceChildOf, type SpaceChild } from '../../../src/rooms/hierarchy/space-children.ts';

const child = (stateKey: string, content: JsonObject, originServerTs = 1): SpaceChild | undefined =>
  spaceChildOf(stateKey, { type: 'm.space.child', sender: '@a:test', content, origin_server_ts: originServerTs });
const valid = (stateKey: string, originServerTs: number, order?: string): SpaceChild => {
  const made = child(stateKey, { via: ['test'], ...(order === undefined ? {} : { order }) }, originServerTs);
  if (made === undefined) throw new Error('the child is valid');
  return made;
};

it('orders the example of the specification as the specification does', () => {
  const children = [
    valid('!b:example.org', 1640341000000, ' '),
    valid('!a:example.org', 1640141000000, 'aaaa'),
    valid('!c:example.org', 1640841000000, 'first'),
    valid('!e:example.org', 1640641000000),
    valid('!d:example.org', 1640741000000),
  ];
  expect(children.toReversed().toSorted(compareChildren)).toEqual(children);
});

it('orders by time where the order is the same, and by room where the time is', () => {
  const children = [valid('!b:test', 1, 'x'), valid('!a:test', 2, 'x'), valid('!c:test', 3), valid('!d:test', 3)];
  expect(children.toReversed().toSorted(compareChildren)).toEqual(children);
});

it('is an order, whatever the children', () => {
  const order = fc.option(fc.constantFrom('', ' ', 'a', 'b', '~', 'ä', 'x'.repeat(51)), { nil: undefined });
  const some = fc
    .tuple(fc.constantFrom('!a:test', '!b:test', '!c:test'), fc.integer({ min: 0, max: 3 }), order)
    .map(([stateKey, ts, text]) => valid(stateKey, ts, text));
  fc.assert(
    fc.property(some, some, some, (a, b, c) => {
      expect(Math.sign(compareChildren(a, b)) + Math.sign(compareChildren(b, a))).toBe(0);
      if (compareChildren(a, b) <= 0 && compareChildren(b, c) <= 0)
        expect(compareChildren(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});

it('takes an order of another form as none', () => {
  for (const order of ['', 'ä', 'a\n', 'x'.repeat(51), 1, null])
    expect(child('!a:test', { via: ['test'], order })?.order, String(order)).toBeUndefined();
  expect(child('!a:test', { via: ['test'], order: 'x'.repeat(50) })?.order).toBe('x'.repeat(50));
});

it('knows what is no child', () => {
  for (const via of [undefined, null, 'test', [], [1], {}]) expect(child('!a:test', { via })).toBeUndefined();
  for (const stateKey of ['', '@a:test', 'a:test']) expect(child(stateKey, { via: ['test'] })).toBeUndefined();
  expect(child('!a:test', { via: ['test'], suggested: true })?.isSuggested).toBe(true);
  expect(child('!a:test', { via: ['test'], suggested: 1 })?.isSuggested).toBe(false);
});
