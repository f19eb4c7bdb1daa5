import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalEmail } from '../../../src/matrix/ids/email.ts';
import {
  findReferenceHash,
  isBase64EventId,
  isEventId,
  isEventIdWithDomain,
  isUrlSafeEventId,
} from '../../../src/matrix/ids/event-id.ts';
import type { EventId, ServerName } from '../../../src/matrix/ids/ids.ts';
import { formatMxcUri, isMediaId, parseMxcUri } from '../../../src/matrix/ids/mxc-uri.ts';
import { isNamespacedId, isOpaqueId } from '../../../src/matrix/ids/opaque-id.ts';
import {
  createEventIdOfRoom,
  isRoomAlias,
  isRoomId,
  isRoomIdWithoutDomain,
  roomIdOfCreateEvent,
} from '../../../src/matrix/ids/room-id.ts';
import { isCompliantUserId, isStrictLocalpart, isUserId, newUserId } from '../../../src/matrix/ids/user-id.ts';
import { localpartFromUsername } from '../../../src/matrix/ids/username.ts';

const server = 'example.org' as ServerName;

describe('the limit of 255 bytes', () => {
  const local255 = 'a'.repeat(255 - '@:example.org'.length);

  test.each([
    ['user id', isUserId, '@'],
    ['room id', isRoomId, '!'],
    ['room alias', isRoomAlias, '#'],
    ['event id', isEventId, '$'],
  ])('%s', (_kind, accepts, sigil) => {
    expect(accepts(`${sigil}${local255}:example.org`)).toBe(true);
    expect(accepts(`${sigil}${local255}a:example.org`)).toBe(false);
    // ä takes two bytes.
    expect(accepts(`${sigil}${local255.slice(2)}ä:example.org`)).toBe(true);
    expect(accepts(`${sigil}${local255.slice(1)}ä:example.org`)).toBe(false);
  });
});

describe('user ids', () => {
  test('others may have any localpart but NUL and half a surrogate pair', () => {
    expect(isUserId('@:example.org')).toBe(true);
    expect(isUserId('@Ä\u0007 🐈:example.org')).toBe(true);
    expect(isUserId('@a\0:example.org')).toBe(false);
    expect(isUserId('@a\ud800:example.org')).toBe(false);
    expect(isUserId(null)).toBe(false);
  });

  test('compliant ids are printable ASCII and not empty', () => {
    expect(isCompliantUserId('@A~!:example.org')).toBe(true);
    expect(isCompliantUserId('@:example.org')).toBe(false);
    expect(isCompliantUserId('@a b:example.org')).toBe(false);
  });

  test('new ids keep the grammar', () => {
    expect(newUserId('a.b_c=d-e/f+1', server)).toBe('@a.b_c=d-e/f+1:example.org');
    for (const localpart of ['', 'A', 'a:b', 'ä', 'a b', 'a'.repeat(250)]) {
      expect(newUserId(localpart, server)).toBeUndefined();
    }
  });

  test('every username becomes a localpart, and different ones stay different', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ minLength: 1 }), (one, other) => {
        expect(isStrictLocalpart(localpartFromUsername(one))).toBe(true);
        const [a, b] = [one, other].map((name) => localpartFromUsername(name, { caseSensitive: true }));
        expect(a === b).toBe(one === other);
      }),
    );
  });
});

describe('event and room ids made of hashes', () => {
  const id = '$Rqnc-F-dvnEYJTyHq_iKxU2bZ1CI92-kuZq3a5lr5Zg' as EventId;

  test('the alphabets of the room versions', () => {
    const standard = '$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk';
    expect([isBase64EventId(standard), isUrlSafeEventId(standard)]).toEqual([true, false]);
    expect([isBase64EventId(id), isUrlSafeEventId(id)]).toEqual([false, true]);
    expect([isEventIdWithDomain(id), isEventIdWithDomain('$a:example.org')]).toEqual([false, true]);
    expect([isUrlSafeEventId('$'), isUrlSafeEventId(`$${'a'.repeat(255)}`), isUrlSafeEventId(1)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('a room of version 12 is named after its create event', () => {
    const room = roomIdOfCreateEvent(id);
    expect(isRoomIdWithoutDomain(room)).toBe(true);
    expect(createEventIdOfRoom(room)).toBe(id);
  });

  test('an id gives its hash only when it is spelt as an encoder spells it', () => {
    expect(findReferenceHash(id)?.toString('base64url')).toBe(id.slice(1));
    // Other leftover bits in the last character: the same 32 bytes, another id.
    expect(findReferenceHash(`${id.slice(0, -1)}h` as EventId)).toBeUndefined();
    expect(findReferenceHash(`${id}A` as EventId)).toBeUndefined();
    expect(findReferenceHash('$a:example.org' as EventId)).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (hash) => {
        for (const encoding of ['base64', 'base64url'] as const) {
          const spelt = `$${Buffer.from(hash).toString(encoding).replace('=', '')}` as EventId;
          expect(findReferenceHash(spelt)).toEqual(Buffer.from(hash));
        }
      }),
    );
  });
});

describe('small grammars', () => {
  test('opaque ids', () => {
    expect(isOpaqueId('aZ0-._~')).toBe(true);
    for (const id of ['', 'a/b', 'ä', 'a'.repeat(256), 1]) expect(isOpaqueId(id)).toBe(false);
    expect(isOpaqueId('abc', 2)).toBe(false);
  });

  test('namespaced ids', () => {
    expect(isNamespacedId('m.room_x-1.y')).toBe(true);
    for (const id of ['', 'M', '1a', '.a', 'a'.repeat(256)]) expect(isNamespacedId(id)).toBe(false);
  });

  test('media URIs', () => {
    const uri = parseMxcUri('mxc://example.org:8448/a-B_9');
    expect(uri).toEqual({ serverName: 'example.org:8448', mediaId: 'a-B_9' });
    expect(uri === undefined ? undefined : formatMxcUri(uri)).toBe('mxc://example.org:8448/a-B_9');
    for (const text of ['mxc://a_b/c', 'mxc://a/', 'mxc://a/../b', 'mxc://a/b/c', 'mxc://a/b.c', 'MXC://a/b']) {
      expect(parseMxcUri(text)).toBeUndefined();
    }
    expect([isMediaId('a_B-1'), isMediaId(''), isMediaId('a.b')]).toEqual([true, false, false]);
  });
});

describe('e-mail addresses', () => {
  test.each([
    ['Σίσυφος@example.org', 'σίσυφοσ@example.org'],
    ['ẞ@example.org', 'ss@example.org'],
    ['ꭰ@example.org', 'Ꭰ@example.org'],
    ['\u212a@example.org', 'k@example.org'],
  ])('the case of %s is folded', (address, canonical) => {
    expect(canonicalEmail(address)).toBe(canonical);
  });

  test('dotless i does not become i, so nobody passes for somebody else', () => {
    expect(canonicalEmail('mıke@example.org')).toBe('mıke@example.org');
  });

  test.each(['', '@', 'a@', '@b', 'a@b@'])('refuses %j', (address) => {
    expect(canonicalEmail(address)).toBeUndefined();
  });

  test('folding twice changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (local) => {
        const once = canonicalEmail(`x${local.replaceAll('@', '')}@example.org`);
        expect(once).toBeDefined();
        expect(canonicalEmail(once ?? '')).toBe(once);
      }),
    );
  });
});
