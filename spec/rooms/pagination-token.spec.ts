import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  firstOrdAfter,
  formatRoomsToken,
  formatStreamToken,
  formatTimelineToken,
  parseStreamPosition,
  parseStreamToken,
  parseTimelineToken,
  posBefore,
} from '../../src/rooms/pagination-token.ts';

const positions = fc.integer({ min: 0, max: 2 ** 42 });

describe('tokens', () => {
  it('come back as what they were', () => {
    fc.assert(
      fc.property(positions, fc.maxSafeInteger(), (pos, ord) => {
        const toDevicePos = Math.max(0, Math.min(pos, ord));
        expect(parseStreamPosition(formatStreamToken(pos, toDevicePos))).toEqual({ pos, toDevicePos });
        expect(parseStreamPosition(formatRoomsToken(pos))).toEqual({ pos, toDevicePos: 0 });
        expect(parseStreamToken(formatStreamToken(pos, toDevicePos))).toBe(pos);
        expect(parseTimelineToken(formatTimelineToken(ord))).toBe(ord);
        expect(parseTimelineToken(formatStreamToken(pos, toDevicePos))).toBe(firstOrdAfter(pos));
        expect(parseStreamToken(formatTimelineToken(ord))).toBeUndefined();
      }),
    );
  });
  it.each([
    '',
    's',
    't',
    '17',
    's-1',
    's1.',
    's.1',
    's1.2',
    's3.2.1',
    's1.-1',
    's1e3',
    's 1',
    's1 ',
    'S1',
    's1_2_3',
    's72594_4483_1934',
    `s${'9'.repeat(16)}`,
    `t${'9'.repeat(17)}`,
    't--1',
    's٣',
    's0x10',
    's\n1',
  ])('%j is none', (token) => {
    expect(parseStreamToken(token)).toBeUndefined();
    expect(parseTimelineToken(token)).toBeUndefined();
  });
  it('of the timeline may lie before the first event that came in live', () => {
    expect(parseTimelineToken('t-1024')).toBe(-1024);
  });
  it('of the stream never lead beyond what a database can compare', () => {
    expect(Number.isSafeInteger(parseTimelineToken(`s${Number.MAX_SAFE_INTEGER}`))).toBe(true);
  });
});

describe('order values', () => {
  it('of an event that came in at a position lie between the gaps around it', () => {
    fc.assert(
      fc.property(positions, (pos) => {
        const ord = pos * 1024;
        expect(firstOrdAfter(pos - 1)).toBe(ord);
        expect(firstOrdAfter(pos)).toBeGreaterThan(ord);
        expect(posBefore(ord)).toBe(pos - 1);
        // Events between two positions were put there later; the state before them is that of the position.
        expect(posBefore(ord + 1)).toBe(pos);
        expect(posBefore(ord + 1023)).toBe(pos);
      }),
    );
  });
});
