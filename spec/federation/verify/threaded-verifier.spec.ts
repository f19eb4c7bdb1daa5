import { afterEach, describe, expect, it } from 'vitest';
import type { RequestSignature, UnverifiedBody } from '../../../src/federation/contract.ts';
import { VerifyKeys } from '../../../src/federation/keys/verify-keys.ts';
import { KnownKeys, placeOf } from '../../../src/federation/keys/known-keys.ts';
import { ThreadedVerifier } from '../../../src/federation/verify/threaded-verifier.ts';
import { VerifyThreads } from '../../../src/federation/verify/verify-threads.ts';
import { verifyKeyOf } from '../../../src/matrix/crypto/ed25519.ts';
import { receivePdu } from '../../../src/matrix/crypto/receive-pdu.ts';
import { parseXMatrix, signRequest } from '../../../src/matrix/crypto/x-matrix.ts';
import type { RoomId, ServerName } from '../../../src/matrix/ids/ids.ts';
import { legacyCanonicalJson } from '../../../src/matrix/json/canonical-json.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { Workers } from '../../../src/platform/ports.ts';
import { InlineWorkers, threadWorkers } from '../../../src/platform/workers.ts';
import { testSigningKey } from '../../support/keys.ts';
import { exactly, remoteMessage, remoteRoomId, rulesOf } from '../../support/remote-pdus.ts';

const peer = { name: 'peer.test' as ServerName, key: testSigningKey('peer.test') };
const stranger = { name: 'stranger.test', key: testSigningKey('stranger.test') };
const validUntilTs = 1_705_305_600_000;

describe.each<[string, () => Workers]>([
  ['in threads', () => threadWorkers],
  ['inline', () => new InlineWorkers()],
])('events are verified %s', (_title, workers) => {
  const open: ThreadedVerifier[] = [];
  afterEach(async () => {
    for (const verifier of open.splice(0)) await verifier.close();
  });
  const start = (): ThreadedVerifier => {
    const key = { keyId: peer.key.keyId, key: verifyKeyOf(peer.key), validUntilTs, isOld: false };
    const known = new KnownKeys(new Map([[placeOf(peer.name, peer.key.keyId), key]]));
    const verifier = new ThreadedVerifier({
      threads: new VerifyThreads(workers(), 2, { keysMax: 100 }),
      keyRing: { load: async () => known },
      verifyKeys: new VerifyKeys(100),
    });
    open.push(verifier);
    return verifier;
  };

  it.each(['1', '4', '5', '10', '12'])('as by the one function that does it, in room version %s', async (version) => {
    const rules = rulesOf(version);
    const good = remoteMessage(peer, version, 'good');
    const late = remoteMessage(peer, version, 'late', { origin_server_ts: validUntilTs + 1 });
    const [signature] = Object.values((good['signatures'] as JsonObject)[peer.name] as JsonObject);
    const pdus = [
      good,
      remoteMessage(stranger, version, 'unknown key'),
      { ...good, content: { msgtype: 'm.text', body: 'other text' } },
      { ...good, depth: 13 },
      { ...good, signatures: { [peer.name]: { 'ed25519:other': signature } } },
      { ...good, sender: 5 },
      { content: {} },
      late,
      ...(rules.strictCanonicalJson
        ? []
        : [
            exactly(legacyCanonicalJson(remoteMessage(peer, version, 'odd', exactly('{"content":{"a":1.0,"b":1e3}}')))),
          ]),
    ];
    const findKey = (pdu: JsonObject) => (server: string, keyId: string) => {
      const isValid = !rules.enforceKeyValidity || Number(pdu['origin_server_ts']) <= validUntilTs;
      return server === peer.name && keyId === peer.key.keyId && isValid ? verifyKeyOf(peer.key) : undefined;
    };
    const expected = pdus.map((pdu) => receivePdu(pdu, rules, findKey(pdu)));
    const verifier = start();
    const found = await verifier.verify(pdus, rules);
    expect(found).toEqual(expected);
    expect(found.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(2);
    expect(found.some((one) => one.ok && one.wasRedacted)).toBe(true);
    expect(found[7]?.ok).toBe(!rules.enforceKeyValidity);
    const odd = found[8];
    if (odd?.ok === true) expect(odd.body).toContain('"a":1.0');
    expect(await verifier.verify(pdus.slice(0, 2), rules)).toEqual(expected.slice(0, 2));
    expect(await verifier.verify([], rules)).toEqual([]);
  });

  it('hundreds at once, in their order', async () => {
    const pdus = Array.from({ length: 250 }, (_, index) => remoteMessage(peer, '10', `m${index}`));
    const found = await start().verify(pdus, rulesOf('10'));
    expect(found.map((one) => one.ok && one.event.pdu)).toEqual(pdus);
  });

  const uri = '/_matrix/federation/v1/send/1';
  const sent = (content: JsonObject, text = legacyCanonicalJson(content)): UnverifiedBody & { confirmed: number } => {
    const request = { method: 'PUT', uri, origin: peer.name, destination: 'test' as ServerName, content };
    const sig = parseXMatrix(signRequest(request, peer.key))?.sig ?? '';
    const signature: RequestSignature = {
      ...request,
      signatures: [{ keyId: peer.key.keyId, sig, publicKey: peer.key.publicKey }],
    };
    const { content: _content, ...plain } = { ...signature, content };
    return {
      bytes: Buffer.from(text),
      signature: plain,
      confirmed: 0,
      confirm() {
        this.confirmed += 1;
      },
    };
  };

  it('in a transaction, room by room, and nothing is parsed twice', async () => {
    const verifier = start();
    const [one, two] = [remoteMessage(peer, '10', 'one'), remoteMessage(peer, '10', 'two')];
    const elsewhere = remoteMessage(stranger, '10', 'else', { room_id: '!other:peer.test' });
    const create = remoteMessage(peer, '12', 'create', {
      type: 'm.room.create',
      state_key: '',
      room_id: undefined,
      content: { room_version: '12' },
      prev_events: [],
      auth_events: [],
    });
    const edus = exactly('{"edus":[{"edu_type":"a","content":{"n":1.0}},5]}')['edus'] as readonly JsonObject[];
    const body = sent({ origin: peer.name, pdus: [one, elsewhere, 7, two, create, { type: 'x' }], edus });
    const opened = await verifier.open(body);
    expect(body.confirmed).toBe(1);
    expect(opened.origin).toBe(peer.name);
    expect(opened.edus).toEqual([edus[0]]);
    const counts = Array.from(opened.rooms, ([roomId, { count }]) => [roomId, count]);
    expect(counts.slice(0, 2)).toEqual([
      [remoteRoomId, 2],
      ['!other:peer.test', 1],
    ]);
    expect(counts[2]?.[0]).toMatch(/^![\w-]{43}$/);
    const room = opened.rooms.get(remoteRoomId as RoomId);
    const verified = (await room?.verify(rulesOf('10'))) ?? [];
    expect(verified.map(({ received }) => received.ok && received.event.pdu)).toEqual([one, two]);
    const ids = await room?.eventIds(rulesOf('10'));
    expect(ids).toEqual(verified.map(({ eventId }) => eventId));
    expect(await room?.eventIds(undefined)).toEqual([undefined, undefined]);
    const [refused] = (await opened.rooms.get('!other:peer.test' as RoomId)?.verify(rulesOf('10'))) ?? [];
    expect(refused).toMatchObject({
      eventId: expect.stringMatching(/^\$/),
      received: { ok: false, step: 'signatures' },
    });
    opened.close();
    expect(await room?.eventIds(rulesOf('10'))).toEqual([]);
  });

  it('but not of what is no transaction, or not signed', async () => {
    const verifier = start();
    const content = { pdus: [], edus: [] };
    const forged = sent(content, '{"pdus":[],"edus":[],"more":1}');
    await expect(verifier.open(forged)).rejects.toMatchObject({ status: 401, errcode: 'M_UNAUTHORIZED' });
    expect(forged.confirmed).toBe(0);
    await expect(verifier.open(sent(content, '{"pdus":'))).rejects.toMatchObject({
      status: 400,
      errcode: 'M_NOT_JSON',
    });
    for (const bad of [{ pdus: {} }, { edus: 'x' }, { pdus: Array.from({ length: 51 }, () => ({})) }])
      await expect(verifier.open(sent(bad))).rejects.toMatchObject({ status: 400, errcode: 'M_BAD_JSON' });
    const empty = await verifier.open(sent({}));
    expect([empty.rooms.size, empty.edus]).toEqual([0, []]);
    empty.close();
  });
});
