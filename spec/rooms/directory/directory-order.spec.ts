import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type DirectoryPlace,
  compareDirectoryPlaces,
  directoryPage,
  formatNextToken,
  formatPreviousToken,
  indexOfPlace,
  parseDirectoryToken,
} from '../../../src/rooms/directory/directory-order.ts';

const inOrder = (members: readonly number[]): DirectoryPlace[] =>
  members.map((count, index) => ({ members: count, room: index + 1 })).toSorted(compareDirectoryPlaces);
const everything = (): boolean => true;
const lists = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 40 }).map(inOrder);

function walk(order: readonly DirectoryPlace[], limit: number, passes = everything as (e: DirectoryPlace) => boolean) {
  const pages: DirectoryPlace[][] = [];
  for (let since: string | undefined; ;) {
    const page = directoryPage(order, since === undefined ? undefined : parseDirectoryToken(since), limit, passes);
    pages.push([...page.entries]);
    if (page.next === undefined) return { pages, last: page };
    since = formatNextToken(page.next);
  }
}

it('pages forwards and back through everything that passes, each room once', () => {
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4 }), (order, limit, divisor) => {
      const passes = ({ room }: DirectoryPlace): boolean => room % divisor === 0;
      const { pages, last } = walk(order, limit, passes);
      expect(pages.flat()).toEqual(order.filter(passes));
      const back = [pages.at(-1) ?? []];
      for (let page = last; page.previous !== undefined;) {
        const cursor = parseDirectoryToken(formatPreviousToken(page.previous));
        const before = directoryPage(order, cursor, limit, passes);
        // From there the way leads forwards again to where it came from.
        if (before.next === undefined) throw new Error('a page that was reached backwards has a next one');
        const again = directoryPage(order, parseDirectoryToken(formatNextToken(before.next)), limit, passes);
        expect(again.entries[0]).toEqual(page.entries[0]);
        page = before;
        back.unshift([...page.entries]);
      }
      expect(back.flat()).toEqual(order.filter(passes));
    }),
  );
});

it('neither doubles nor hides a room that stays what it is while others come, go and grow', () => {
  const changes = fc.array(
    fc.record({ room: fc.integer({ min: 1, max: 60 }), members: fc.integer({ min: 0, max: 5 }) }),
  );
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 7 }), fc.array(changes, { maxLength: 8 }), (first, limit, steps) => {
      const touched = new Set(steps.flat().map((change) => change.room));
      const seen: number[] = [];
      let order = first;
      for (let since: string | undefined, step = 0; ; step++) {
        const page = directoryPage(
          order,
          since === undefined ? undefined : parseDirectoryToken(since),
          limit,
          everything,
        );
        seen.push(...page.entries.map((entry) => entry.room));
        if (page.next === undefined) break;
        since = formatNextToken(page.next);
        for (const change of steps[step] ?? [])
          order = [...order.filter(({ room }) => room !== change.room), ...(change.members > 0 ? [change] : [])];
        order = order.toSorted(compareDirectoryPlaces);
      }
      const unchanged = first.map((entry) => entry.room).filter((room) => !touched.has(room));
      expect(seen.filter((room) => !touched.has(room))).toEqual(unchanged);
    }),
  );
});

it('leads back to the beginning when nothing comes before a page any more', () => {
  const order = inOrder([3, 2, 1]);
  const page = directoryPage(order.slice(1), parseDirectoryToken('p2.2'), 2, everything);
  expect(page).toEqual({ entries: [], next: { members: 2, room: 1 }, previous: undefined });
  expect(directoryPage(order.slice(1), parseDirectoryToken('n2.1'), 2, everything).entries).toEqual(order.slice(1));
  expect(directoryPage(order, parseDirectoryToken('n0.9'), 2, everything)).toEqual({
    entries: [],
    next: undefined,
    previous: { members: 0, room: Number.MAX_SAFE_INTEGER },
  });
  expect(directoryPage([], undefined, 2, everything)).toEqual({ entries: [], next: undefined, previous: undefined });
});

it('looks at a page and a few rooms more, however many there are', () => {
  const looks = (count: number): number => {
    let looked = 0;
    const order = new Proxy(inOrder(Array.from({ length: count }, (_, index) => 1 + (index % 100))), {
      get(target, key, receiver) {
        if (typeof key === 'string' && /^\d+$/.test(key)) looked++;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    expect(directoryPage(order, parseDirectoryToken('n50.0'), 20, everything).entries).toHaveLength(20);
    return looked;
  };
  expect(looks(10_000)).toBeLessThan(50);
  expect(looks(100_000)).toBeLessThan(looks(10_000) + 10);
});

it('finds places, and refuses what is no token', () => {
  const order = inOrder([3, 3, 1]);
  expect(order.map((place) => indexOfPlace(order, place))).toEqual([0, 1, 2]);
  expect(indexOfPlace(order, { members: 2, room: 1 })).toBe(2);
  for (const wrong of ['', 'n', 'n1', 'x1.2', 'n1.2x', 'n-1.2', `n${'9'.repeat(16)}.1`, 's1', 'n1.2\n'])
    expect(parseDirectoryToken(wrong)).toBeUndefined();
});
