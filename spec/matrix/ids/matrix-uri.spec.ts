import { describe, expect, test } from 'vitest';
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from '../../../src/matrix/ids/ids.ts';
import {
  formatMatrixTo,
  formatMatrixUri,
  type MatrixLink,
  parseMatrixLink,
} from '../../../src/matrix/ids/matrix-uri.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

interface ParseCase {
  readonly origin: string;
  readonly uri: string;
  readonly valid: boolean;
  readonly id?: string;
  readonly event?: string;
  readonly via?: readonly string[];
  readonly action?: string | null;
}

interface FormatCase {
  readonly id: UserId | RoomId | RoomAlias;
  readonly event?: EventId;
  readonly via?: readonly ServerName[];
  readonly matrix_to?: string;
  readonly matrix?: string;
  readonly matrix_with_action?: string;
}

/** ruma refuses unknown query items; the specification has them ignored. */
const ignoresUnknownItems = new Set([
  'https://matrix.to/#/%21ruma%3Anotareal.hs?via=notareal.hs&custom=data',
  'matrix:roomid/roomid:notareal.hs?via=notareal.hs&fake=data',
]);

describeShared('matrix-uri/parse.json', () => {
  const { cases } = loadFixture<{ cases: ParseCase[] }>('matrix-uri/parse.json');
  const kept = cases.filter((one) => !ignoresUnknownItems.has(one.uri));

  test.each(kept)('$uri ($origin)', ({ uri, valid, id, event, via, action }) => {
    const link = parseMatrixLink(uri);
    expect(link !== undefined).toBe(valid);
    if (link === undefined) return;
    expect(link.id).toBe(id);
    expect(link.eventId).toBe(event);
    if (via !== undefined) expect(link.via).toEqual(via);
    if (action !== undefined) expect(link.action ?? null).toBe(action);
  });

  test('only the two known disagreements are left out', () => {
    expect(cases.length - kept.length).toBe(2);
    for (const uri of ignoresUnknownItems) expect(parseMatrixLink(uri)?.via).toEqual(['notareal.hs']);
  });
});

describeShared('matrix-uri/format.json', () => {
  const { cases } = loadFixture<{ cases: FormatCase[] }>('matrix-uri/format.json');
  test.each(cases)('$id $event $via', ({ id, event, via = [], matrix_to, matrix, matrix_with_action }) => {
    const link: MatrixLink = { id, eventId: event, via, action: undefined };
    // The sources differ in whether `!` is encoded in matrix.to links; both are allowed.
    if (matrix_to !== undefined) expect(formatMatrixTo(link)).toBe(matrix_to.replace('#/%21', '#/!'));
    if (matrix !== undefined) expect(formatMatrixUri(link)).toBe(matrix);
    if (matrix_with_action !== undefined) {
      const action = id.startsWith('@') ? 'chat' : 'join';
      expect(formatMatrixUri({ ...link, action })).toBe(matrix_with_action);
    }
    if (matrix_to !== undefined) expect(parseMatrixLink(matrix_to)).toEqual(link);
    if (matrix !== undefined) expect(parseMatrixLink(matrix)).toEqual(link);
  });
});

describe('links to Matrix', () => {
  test('an alias and a user id with slashes that nobody encoded', () => {
    expect(parseMatrixLink('https://matrix.to/#/#a/b:example.org/$c/d')).toMatchObject({
      id: '#a/b:example.org',
      eventId: '$c/d',
    });
    expect(parseMatrixLink('https://matrix.to/#/@a/b:example.org')?.id).toBe('@a/b:example.org');
  });

  test('an action that has no meaning for the identifier is ignored', () => {
    expect(parseMatrixLink('matrix:u/a:example.org?action=join')?.action).toBeUndefined();
    expect(parseMatrixLink('matrix:r/a:example.org?action=chat')?.action).toBeUndefined();
  });

  test('an authority and a fragment are passed over, a server that is none is dropped', () => {
    expect(parseMatrixLink('MATRIX://x/roomid/a:example.org?via=b_&via=c#d')).toEqual({
      id: '!a:example.org',
      eventId: undefined,
      via: ['c'],
      action: undefined,
    });
  });

  test.each([
    'matrix:u/%',
    'matrix:e/x',
    'matrix:roomid/a/e',
    'matrix:roomid/a/x/b',
    'matrix:roomid/a/e/b/c',
    'mailto:a@b',
  ])('%s is no link', (uri) => {
    expect(parseMatrixLink(uri)).toBeUndefined();
  });
});
