import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { certificatesOf, type Trust } from '../../../src/federation/policy/signed-list/certificate-chain.ts';
import { readSignedList } from '../../../src/federation/policy/signed-list/read-signed-list.ts';
import type { SignedListSettings } from '../../../src/federation/policy/signed-list/signed-list-follower.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { OutgoingHttpError } from '../../../src/platform/outgoing-http-error.ts';
import type { OutgoingHttp } from '../../../src/platform/ports.ts';
import type { Database } from '../../../src/storage/database.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { listCertificate, type ListSigning, signList } from '../../support/signed-list.ts';
import { testFederation, type TestFederation } from '../../support/test-federation.ts';
import { testEpochMs, testPorts } from '../../support/test-ports.ts';

const hour = 3_600_000;
const nowSeconds = testEpochMs / 1_000;
const claims = (version: number, servers: readonly string[] = ['a.example', '*.gov.example']): JsonObject => ({
  version,
  iat: nowSeconds - 100 + version,
  exp: nowSeconds + 86_400,
  servers,
});

describe('readSignedList', () => {
  const trust: Trust = { authorities: certificatesOf(readFileSync(listCertificate('root'), 'utf8')), signers: [] };
  const read = async (signed: unknown, options: ListSigning = {}, more: Partial<Trust> = {}) =>
    readSignedList(await signList(signed as JsonObject, options), { ...trust, ...more }, testEpochMs);

  it.each(['compact', 'flattened', 'general'] as const)('reads a list in %s form', async (form) => {
    expect(await read(claims(7), { form })).toEqual({
      version: 7,
      issuedTs: testEpochMs - 93_000,
      expiresTs: testEpochMs + 86_400_000,
      servers: ['a.example', '*.gov.example'],
    });
  });

  it('takes entries that say more of a server, the root among the certificates, and only signers that are named', async () => {
    const servers = ['a.example', { server_name: 'b.example', operator: 'B' }];
    expect((await read({ ...claims(1), servers })).servers).toEqual(['a.example', 'b.example']);
    expect((await read(claims(1), { chain: ['signer', 'intermediate', 'root'] })).version).toBe(1);
    expect((await read(claims(1), {}, { signers: ['x', 'list.federation.test'] })).version).toBe(1);
    const other = read(claims(1), { by: 'other-signer' }, { signers: ['list.federation.test'] });
    await expect(other).rejects.toThrow('it is signed by mail.federation.test, who is none of its signers');
  });

  it.each<[string, ListSigning, string]>([
    ['an expired certificate', { by: 'expired' }, 'the certificate of list.federation.test has expired'],
    ['an authority of the same name', { by: 'impostor' }, 'issued by nobody who is trusted'],
    [
      'the name of an authority and the chain of another',
      { by: 'impostor', chain: ['impostor', 'intermediate'] },
      'was not issued by',
    ],
    [
      'another key than the certificate',
      { by: 'other-signer', chain: ['signer', 'intermediate'] },
      'its signature does not count',
    ],
    ['a chain with a gap', { chain: ['signer'] }, 'issued by nobody who is trusted'],
    [
      'a chain in which somebody else stands',
      { chain: ['signer', 'other-signer', 'intermediate'] },
      'was not issued by',
    ],
    ['no certificates', { x5c: [] }, 'must have x5c'],
    [
      'too many certificates',
      { chain: ['signer', ...Array.from({ length: 6 }, () => 'intermediate')] },
      'must have x5c',
    ],
    ['something that is no certificate', { x5c: ['AAAA'] }, 'no certificate'],
    ['something that is no text', { x5c: [7] }, 'no text'],
  ])('refuses %s', async (_title, options, message) => {
    await expect(read(claims(1), options)).rejects.toMatchObject({
      name: 'ListRefused',
      message: expect.stringContaining(message) as string,
    });
  });

  it.each<[string, unknown]>([
    ['without a version', { ...claims(1), version: undefined }],
    ['with a time that is none', { ...claims(1), exp: 'never' }],
    ['that expires before it is issued', { ...claims(1), exp: 1 }],
    ['from the future', { ...claims(1), iat: nowSeconds + 3_600 }],
    ['without servers', { ...claims(1), servers: 'a.example' }],
    ['with a server that is none', { ...claims(1), servers: ['a.example', 'b example'] }],
    ['with too many wildcards', { ...claims(1), servers: Array.from({ length: 1_001 }, (_, n) => `*.${n}.example`) }],
    ['that is no object', ['a.example']],
  ])('refuses a list %s', async (_title, signed) => {
    await expect(read(signed)).rejects.toMatchObject({ name: 'ListRefused' });
  });

  it('refuses what is no list, unsigned ones, and what was changed', async () => {
    const good = await signList(claims(1));
    const [header, payload, signature] = good.split('.');
    const changed = Buffer.from(JSON.stringify(claims(2))).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const secret = Buffer.from(JSON.stringify({ alg: 'HS256' })).toString('base64url');
    for (const text of [
      '',
      '{}',
      '<html>',
      '{"payload":1}',
      `${header}.${changed}.${signature}`,
      `${none}.${payload}.`,
      `${secret}.${payload}.${signature}`,
    ])
      await expect(readSignedList(text, trust, testEpochMs), text).rejects.toMatchObject({ name: 'ListRefused' });
  });
});

describeOnBothEngines('a signed federation list', (engine) => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  const settings: SignedListSettings = {
    url: 'https://lists.example/list',
    authorities: [listCertificate('root')],
    signers: ['list.federation.test'],
    refreshMinutes: 60,
    whenExpired: 'keep',
    beside: [],
  };
  /** `answer`: what is at the URL now; undefined: nobody answers. */
  const start = async (
    answer: () => Promise<string> | string | undefined,
    { db, ...more }: Partial<SignedListSettings> & { readonly db?: Database } = {},
  ): Promise<TestFederation & { readonly asked: readonly string[] }> => {
    const asked: string[] = [];
    const http: OutgoingHttp = {
      async request({ url, purpose }) {
        asked.push(`${purpose} ${url}`);
        const text = await answer();
        if (text === undefined) throw new OutgoingHttpError('connection', 'nobody answers');
        return { status: 200, headers: {}, body: Buffer.from(text) };
      },
    };
    const ports = testPorts(1, { http });
    const federation = await testFederation(db ?? (await engine.open()), http, {
      ports,
      settings: { signedList: { ...settings, ...more } },
    });
    closing.push(() => federation.close());
    return { ...federation, asked };
  };
  const [a, gov, other] = ['a.example', 'tax.gov.example', 'other.example'].map((name) => name as ServerName);
  const allowed = ({ policy }: TestFederation): readonly boolean[] =>
    [a, gov, other].map((server) => policy.maySendTo(server!) && policy.mayReceiveFrom(server!));
  const outcomes = async ({ metrics }: TestFederation): Promise<string> =>
    [...(await metrics.text()).matchAll(/veche_federation_list_fetches_total\{outcome="(\w+)"\} (\d+)/g)]
      .map(([, outcome, count]) => `${outcome} ${count}`)
      .join();
  const until = async (federation: TestFederation, version: number | undefined): Promise<void> =>
    federation.ports.until(() => federation.signedList.known?.version === version);

  it('lets nobody in before there is one, then those on it, and asks again on its schedule', async () => {
    let text: string | undefined;
    const one = await start(() => text);
    expect(allowed(one)).toEqual([false, false, false]);
    expect(() => one.policy.assertMayReceiveFrom(a!)).toThrow('has none that is valid');
    text = await signList(claims(1));
    await one.signedList.fetch();
    await one.signedList.fetch();
    expect(allowed(one)).toEqual([true, true, false]);
    expect(() => one.policy.assertMayReceiveFrom(other!)).toThrow('not on the federation list');
    text = await signList(claims(2, ['other.example']));
    await one.ports.advance(hour);
    await until(one, 2);
    expect(allowed(one)).toEqual([false, false, true]);
    expect(one.asked[0]).toBe('federation https://lists.example/list');
    const refusals = await one.metrics.text();
    expect(refusals).toContain('veche_federation_refusals_total{direction="incoming",reason="no_list"} 1');
    expect(refusals).toContain('veche_federation_refusals_total{direction="incoming",reason="not_listed"} 1');
    expect(one.failures).toEqual([]);
  });

  it('keeps the last good one when there is none, a bad or an older one, and over a restart', async () => {
    const db = await engine.open();
    let text: string | undefined = await signList(claims(5));
    const one = await start(() => text, { db });
    await one.signedList.fetch();
    for (const bad of [
      undefined,
      'nonsense',
      await signList(claims(4)),
      await signList(claims(5, ['other.example'])),
      await signList(claims(6), { by: 'expired' }),
      await signList({ ...claims(6), exp: nowSeconds - 1, iat: nowSeconds - 2 }),
    ]) {
      text = bad;
      await one.signedList.fetch();
      expect(allowed(one)).toEqual([true, true, false]);
    }
    expect(await outcomes(one)).toBe('new 1,unreachable 1,refused 5');
    expect(one.notices).toHaveLength(6);
    expect(one.notices[2]).toBe(
      'the federation list was not taken: version 4 is not newer than version 5, which is known',
    );
    const again = await start(() => undefined, { db });
    expect(allowed(again)).toEqual([true, true, false]);
    text = await signList(claims(4));
    const rolledBack = await start(() => text, { db });
    await rolledBack.signedList.fetch();
    expect(rolledBack.signedList.known?.version).toBe(5);
    const elsewhere = await start(() => undefined, { db, url: 'https://lists.example/other' });
    expect(allowed(elsewhere)).toEqual([false, false, false]);
  });

  it.each([
    ['keep', [true, true, false], 'it goes on counting'],
    ['refuse', [false, false, false], 'nobody is talked to'],
  ] as const)('that has expired: %s', async (whenExpired, after, notice) => {
    let text: string | undefined = await signList(claims(1));
    const one = await start(() => text, { whenExpired });
    await one.signedList.fetch();
    text = undefined;
    expect(allowed(one)).toEqual([true, true, false]);
    await one.ports.advance(24 * hour + 1);
    expect(allowed(one)).toEqual(after);
    expect(one.notices.filter((line) => line.includes(notice))).toHaveLength(1);
  });

  it('is asked for early when somebody is met who is not on it, and sooner again after a failure', async () => {
    let text: string | undefined = await signList(claims(1));
    const one = await start(() => text);
    await one.signedList.fetch();
    text = await signList(claims(2, ['other.example']));
    expect(() => one.policy.assertMayReceiveFrom(other!)).toThrow('not on the federation list');
    await one.ports.settle();
    expect(one.signedList.known?.version).toBe(1);
    await one.ports.advance(300_000);
    expect(() => one.policy.assertMayReceiveFrom(other!)).toThrow('not on the federation list');
    await until(one, 2);
    await one.signedList.fetch();
    text = undefined;
    await one.signedList.fetch();
    text = await signList(claims(3));
    await one.ports.advance(60_000);
    await until(one, 3);
  });

  it('stands beside allow and deny, which it does not widen, and servers that count as if they were on it', async () => {
    const text = await signList(claims(1));
    const one = await start(() => text, { beside: ['other.example'] });
    await one.signedList.fetch();
    expect(allowed(one)).toEqual([true, true, true]);
    const nobody = { both: [], incoming: [], outgoing: [] };
    one.policy.replace({
      enabled: true,
      allow: { ...nobody, both: ['a.example', '*.gov.example'] },
      deny: { ...nobody, both: ['a.example'] },
    });
    expect(allowed(one)).toEqual([false, true, false]);
  });

  it('can be followed and left while the server runs', async () => {
    const texts: Record<string, string> = {
      '/list': await signList(claims(1)),
      '/other': await signList(claims(1, ['other.example'])),
    };
    let path = '/list';
    const one = await start(() => texts[path], { url: undefined as never });
    expect(allowed(one)).toEqual([true, true, true]);
    one.signedList.prepare(settings)();
    expect(allowed(one)).toEqual([false, false, false]);
    await until(one, 1);
    expect(allowed(one)).toEqual([true, true, false]);
    path = '/other';
    one.signedList.prepare({ ...settings, url: 'https://lists.example/other' })();
    expect(allowed(one)).toEqual([false, false, false]);
    await until(one, 1);
    expect(allowed(one)).toEqual([false, false, true]);
    one.signedList.prepare({ ...settings, url: undefined })();
    expect(allowed(one)).toEqual([true, true, true]);
    expect(() => one.signedList.prepare({ ...settings, authorities: [listCertificate('nowhere')] })).toThrow(
      'nowhere.pem cannot be used',
    );
    expect(() =>
      one.signedList.prepare({ ...settings, authorities: [listCertificate('signer').replace(/pem$/, 'key')] }),
    ).toThrow('has no certificate');
  });
});
