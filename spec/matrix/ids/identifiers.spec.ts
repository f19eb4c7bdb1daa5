/** The shared cases for identifiers of every kind. */
import { expect, test } from 'vitest';
import { canonicalEmail } from '../../../src/matrix/ids/email.ts';
import { isEventId } from '../../../src/matrix/ids/event-id.ts';
import { parseMxcUri } from '../../../src/matrix/ids/mxc-uri.ts';
import { isClientSecret, isRoomVersionText, isSpaceChildOrder, parseKeyId } from '../../../src/matrix/ids/opaque-id.ts';
import {
  findServerNameOfRoomId,
  isRoomAlias,
  isRoomId,
  isRoomIdWithDomain,
  localpartOfAlias,
  serverNameOfAlias,
} from '../../../src/matrix/ids/room-id.ts';
import {
  isCompliantUserId,
  isStrictUserId,
  isUserId,
  localpartOf,
  serverNameOf,
} from '../../../src/matrix/ids/user-id.ts';
import { localpartFromUsername } from '../../../src/matrix/ids/username.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

interface Case {
  readonly origin: string;
  readonly kind: string;
  readonly id: string;
  /** null: the case is only about splitting. */
  readonly valid: boolean | null;
  readonly grammar?: 'strict' | 'historical';
  readonly localpart?: string;
  readonly server?: string | null;
  readonly media_id?: string;
  readonly algorithm?: string;
  readonly name?: string;
  readonly note?: string;
  readonly ruma?: { readonly valid_historical?: boolean; readonly valid_strict?: boolean };
}

/**
 * gomatrixserverlib's case for a user id that is too long: its test makes 256 bytes, the shared file holds 255 of them,
 * which the specification allows.
 */
const longestUserId = `@a:${'a'.repeat(252)}`;

describeShared('identifiers/cases.json', () => {
  const { cases } = loadFixture<{ cases: Case[] }>('identifiers/cases.json');
  const of = (kind: string): Case[] => cases.filter((one) => one.kind === kind && one.id !== longestUserId);

  test('a user id of 256 bytes, as in the source of the one case that is left out', () => {
    expect(cases.filter((one) => one.id === longestUserId)).toHaveLength(1);
    expect([isStrictUserId(longestUserId), isStrictUserId(`${longestUserId}a`)]).toEqual([true, false]);
  });

  test.each(of('user'))('user id $id ($origin)', ({ id, valid, grammar, localpart, server, ruma }) => {
    if (valid !== null) expect(grammar === 'strict' ? isStrictUserId(id) : isUserId(id)).toBe(valid);
    if (ruma?.valid_historical !== undefined) expect(isCompliantUserId(id)).toBe(ruma.valid_historical);
    if (ruma?.valid_strict !== undefined) expect(isStrictUserId(id)).toBe(ruma.valid_strict);
    // The functions that split only look for the first colon, whatever the server name is.
    const split = valid === null ? (id as Parameters<typeof localpartOf>[0]) : isUserId(id) ? id : undefined;
    if (split !== undefined && localpart !== undefined) expect(localpartOf(split)).toBe(localpart);
    if (split !== undefined && typeof server === 'string') expect(serverNameOf(split)).toBe(server);
  });

  test.each(of('room'))('room id $id ($origin)', ({ origin, id, valid, server }) => {
    // gomatrixserverlib knows only room ids with a domain; ruma takes the ids of all room versions.
    const accepted = origin.startsWith('gomatrixserverlib') ? isRoomIdWithDomain(id) : isRoomId(id);
    expect(accepted).toBe(valid);
    if (isRoomId(id) && server !== undefined) expect(findServerNameOfRoomId(id) ?? null).toBe(server);
  });

  test.each(of('alias'))('alias $id', ({ id, valid, localpart, server }) => {
    expect(isRoomAlias(id)).toBe(valid);
    if (!isRoomAlias(id)) return;
    if (localpart !== undefined) expect(localpartOfAlias(id)).toBe(localpart);
    if (server !== undefined) expect(serverNameOfAlias(id)).toBe(server);
  });

  test.each(of('event'))('event id $id', ({ id, valid }) => {
    expect(isEventId(id)).toBe(valid);
  });

  test.each(of('mxc'))('media URI $id', ({ id, valid, server, media_id }) => {
    expect(parseMxcUri(id)).toEqual(valid === true ? { serverName: server, mediaId: media_id } : undefined);
  });

  test.each(of('key'))('key id $id', ({ id, valid, algorithm, name }) => {
    expect(parseKeyId(id)).toEqual(valid === true ? { algorithm, name } : undefined);
  });

  test.each(of('room_version'))('room version $id', ({ id, valid }) => {
    expect(isRoomVersionText(id)).toBe(valid);
  });

  test.each(of('space_child_order'))('space child order $id', ({ id, valid }) => {
    expect(isSpaceChildOrder(id)).toBe(valid);
  });

  test.each(of('client_secret'))('client secret $id', ({ id, valid }) => {
    expect(isClientSecret(id)).toBe(valid);
  });

  test('no case is left over', () => {
    const kinds = new Set(cases.map((one) => one.kind));
    expect([...kinds].sort()).toEqual([
      'alias',
      'client_secret',
      'event',
      'key',
      'mxc',
      'room',
      'room_version',
      'space_child_order',
      'user',
    ]);
  });
});

describeShared('identifiers/username-to-localpart.json', () => {
  const { cases } = loadFixture<{
    cases: { username: string; case_sensitive?: boolean; localpart: string }[];
  }>('identifiers/username-to-localpart.json');
  test.each(cases)('$username becomes $localpart', ({ username, case_sensitive, localpart }) => {
    expect(localpartFromUsername(username, { caseSensitive: case_sensitive === true })).toBe(localpart);
  });
});

describeShared('identifiers/email.json', () => {
  const { cases } = loadFixture<{ cases: { address: string; canonical: string | null }[] }>('identifiers/email.json');
  test.each(cases)('$address', ({ address, canonical }) => {
    expect(canonicalEmail(address) ?? null).toBe(canonical);
  });
});
