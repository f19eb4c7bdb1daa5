import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type HistoryVisibility,
  type VisibilityTimeline,
  historyVisibilityOf,
  isVisible,
  lastJoinedSpan,
  membershipAt,
  wasVisible,
} from '../../src/rooms/history-visibility.ts';

const timelineOf = (
  visibilities: readonly (readonly [number, HistoryVisibility])[],
  memberships: readonly (readonly [number, string])[],
): VisibilityTimeline => ({
  visibilities: visibilities.map(([pos, value]) => ({ pos, value })),
  memberships: memberships.map(([pos, value]) => ({ pos, value })),
});
/** The positions from 1 to 20 that can be seen. */
const seen = (timeline: VisibilityTimeline): number[] =>
  Array.from({ length: 20 }, (_, index) => index + 1).filter((pos) => isVisible(timeline, pos));
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('a value of history visibility', () => {
  it.each(['world_readable', 'shared', 'invited', 'joined'])('%s stands for itself', (value) => {
    expect(historyVisibilityOf(value)).toBe(value);
  });
  it.each([undefined, null, 7, 'private', 'toString', '__proto__', {}])('%j stands for shared', (value) => {
    expect(historyVisibilityOf(value)).toBe('shared');
  });
});

describe('what a user may see', () => {
  it('of an open room is everything, whoever they are', () => {
    expect(seen(timelineOf([[1, 'world_readable']], []))).toEqual(range(1, 20));
  });
  it('of a shared room is all up to when they left, for those who ever joined', () => {
    expect(seen(timelineOf([[1, 'shared']], [[10, 'join']]))).toEqual(range(1, 20));
    const stays = [
      [5, 'join'],
      [8, 'leave'],
      [14, 'join'],
      [16, 'ban'],
    ] as const;
    expect(seen(timelineOf([[1, 'shared']], stays))).toEqual(range(1, 16));
    expect(seen(timelineOf([[1, 'shared']], stays.slice(0, 2)))).toEqual(range(1, 8));
    expect(seen(timelineOf([[1, 'shared']], [[5, 'invite']]))).toEqual([]);
    expect(seen(timelineOf([], [[10, 'join']]))).toEqual(range(1, 20));
  });
  it('of a room for the invited begins with the invite and ends with it, or with the stay', () => {
    const memberships = [
      [4, 'invite'],
      [6, 'leave'],
      [10, 'invite'],
      [12, 'join'],
      [15, 'leave'],
    ] as const;
    // 1 is the visibility event itself: shared until then, and they joined later.
    expect(seen(timelineOf([[1, 'invited']], memberships))).toEqual([1, ...range(4, 6), ...range(10, 15)]);
  });
  it('of a room for the joined is their stays, with coming and going', () => {
    const memberships = [
      [4, 'invite'],
      [6, 'join'],
      [7, 'join'],
      [9, 'leave'],
      [12, 'knock'],
      [14, 'join'],
      [16, 'ban'],
    ] as const;
    expect(seen(timelineOf([[1, 'joined']], memberships))).toEqual([1, ...range(6, 9), ...range(14, 16)]);
  });
  it('changes with the visibility, whose own events are seen by what was before or after them', () => {
    const outside = timelineOf(
      [
        [3, 'world_readable'],
        [6, 'joined'],
        [9, 'world_readable'],
        [12, 'invited'],
      ],
      [],
    );
    expect(seen(outside)).toEqual([...range(3, 6), ...range(9, 12)]);
  });
  it('never depends on how often a profile changed', () => {
    const visibility = fc.constantFrom<HistoryVisibility>('world_readable', 'shared', 'invited', 'joined');
    const membership = fc.constantFrom('join', 'invite', 'leave', 'ban', 'knock');
    const entries = <T>(value: fc.Arbitrary<T>) =>
      fc
        .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 20 }), value), { selector: ([pos]) => pos, maxLength: 8 })
        .map((list) => list.toSorted(([a], [b]) => a - b));
    fc.assert(
      fc.property(entries(visibility), entries(membership), fc.integer({ min: 1, max: 20 }), (some, others, at) => {
        const plain = timelineOf(some, others);
        if (membershipAt(plain, at) !== 'join' || others.some(([pos]) => pos === at)) return;
        const renamed = [...others, [at, 'join'] as const].toSorted(([a], [b]) => a - b);
        expect(seen(timelineOf(some, renamed))).toEqual(seen(plain));
      }),
    );
  });
});

describe('the membership at a position', () => {
  it('is what the last event up to there says', () => {
    const timeline = timelineOf(
      [],
      [
        [3, 'invite'],
        [5, 'join'],
      ],
    );
    expect([2, 3, 4, 5, 9].map((pos) => membershipAt(timeline, pos))).toEqual([
      undefined,
      'invite',
      'invite',
      'join',
      'join',
    ]);
  });
});

describe('the last stay that is over', () => {
  const span = (pos: number, ...memberships: (readonly [number, string])[]) =>
    lastJoinedSpan(timelineOf([], memberships), pos);
  it('goes from the join to the departure, whatever the profile did', () => {
    expect(span(20, [3, 'invite'], [5, 'join'], [6, 'join'], [8, 'leave'], [9, 'ban'])).toEqual({
      startPos: 5,
      endPos: 8,
    });
    expect(span(20, [1, 'join'], [2, 'leave'], [5, 'join'], [8, 'ban'])).toEqual({ startPos: 5, endPos: 8 });
    expect(span(4, [1, 'join'], [2, 'leave'], [5, 'join'], [8, 'ban'])).toEqual({ startPos: 1, endPos: 2 });
  });
  it('does not exist for those who never joined, or still are', () => {
    expect(span(20, [3, 'invite'], [5, 'leave'])).toBeUndefined();
    expect(span(20, [3, 'join'])).toBeUndefined();
    expect(span(6, [3, 'join'], [7, 'leave'])).toBeUndefined();
    expect(span(20)).toBeUndefined();
  });
});

describe('what a user could see when it was', () => {
  const seenBy = (timeline: VisibilityTimeline, untilPos: number): number[] =>
    range(1, 20).filter((pos) => wasVisible(timeline, pos, untilPos));

  it('of a shared room is what those see who had joined by then, and nothing for others', () => {
    const joined = timelineOf([[1, 'shared']], [[8, 'join']]);
    expect(seenBy(joined, 8)).toEqual(range(1, 20));
    expect(seenBy(joined, 7)).toEqual([]);
  });
  it('does not grow by a later stay', () => {
    const stays = [
      [5, 'join'],
      [8, 'leave'],
      [14, 'join'],
    ] as const;
    expect(seenBy(timelineOf([[1, 'shared']], stays), 10)).toEqual(range(1, 8));
    expect(seenBy(timelineOf([[1, 'shared']], stays), 14)).toEqual(range(1, 20));
    expect(seenBy(timelineOf([[0, 'joined']], stays), 14)).toEqual([...range(5, 8), ...range(14, 20)]);
  });
  it('of an open room is nothing for those who had not come in', () => {
    const timeline = timelineOf(
      [[1, 'world_readable']],
      [
        [8, 'invite'],
        [12, 'join'],
      ],
    );
    expect(seenBy(timeline, 11)).toEqual([]);
    expect(seenBy(timeline, 12)).toEqual(range(1, 20));
  });
  it('is never more of what there was than what is seen now', () => {
    const memberships = fc.array(fc.tuple(fc.nat(20), fc.constantFrom('join', 'leave', 'invite', 'ban')), {
      maxLength: 6,
    });
    const visibility = fc.constantFrom<HistoryVisibility>('world_readable', 'shared', 'invited', 'joined');
    fc.assert(
      fc.property(memberships, visibility, fc.nat(20), (entries, value, untilPos) => {
        const timeline = timelineOf(
          [[1, value]],
          entries.toSorted(([a], [b]) => a - b),
        );
        const before = seenBy(timeline, untilPos).filter((pos) => pos <= untilPos);
        expect(seen(timeline)).toEqual(expect.arrayContaining(before));
      }),
    );
  });
});
