import { describe, expect, test } from 'vitest';
import { signingKeyFromSeed, verifyKeyFromBase64, verifyKeyOf } from '../../../src/matrix/crypto/ed25519.ts';
import {
  parseXMatrix,
  signRequest,
  signRequestText,
  type SignedRequest,
  verifyRequest,
} from '../../../src/matrix/crypto/x-matrix.ts';
import { decodeBase64 } from '../../../src/matrix/ids/base64.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { legacyCanonicalJson } from '../../../src/matrix/json/canonical-json.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { parseJson } from '../../../src/matrix/json/parse-json.ts';
import { testSigningKey } from '../../support/keys.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

describeShared('x-matrix/parse.json', () => {
  interface Case {
    readonly origin: string;
    readonly name?: string;
    readonly header: string;
    readonly origin_server: string;
    readonly destination: string | null;
    readonly key: string;
    readonly sig?: string;
    readonly sig_bytes_utf8?: string;
  }
  const { cases } = loadFixture<{ cases: Case[] }>('x-matrix/parse.json');
  test.each(cases)('$origin: $header', ({ header, origin_server, destination, key, sig, sig_bytes_utf8 }) => {
    const parsed = parseXMatrix(header);
    expect(parsed).toMatchObject({ origin: origin_server, destination: destination ?? undefined, key });
    if (sig !== undefined) expect(parsed?.sig).toBe(sig);
    if (sig_bytes_utf8 !== undefined) expect(decodeBase64(parsed?.sig ?? '')?.toString()).toBe(sig_bytes_utf8);
  });
});

describeShared('x-matrix/sign.json', () => {
  interface Case {
    readonly method: string;
    readonly uri: string;
    readonly origin_server: ServerName;
    readonly destination: ServerName;
    readonly content?: JsonObject;
    readonly seed: string;
    readonly key: string;
    readonly sig: string;
  }
  const { cases } = loadFixture<{ cases: Case[] }>('x-matrix/sign.json');
  test.each(cases)('$method $uri', ({ method, uri, origin_server, destination, content, seed, key, sig }) => {
    const signingKey = signingKeyFromSeed(key, decodeBase64(seed) ?? Buffer.alloc(0));
    const request: SignedRequest = { method, uri, origin: origin_server, destination, content };
    const header = signRequest(request, signingKey);
    expect(header).toBe(`X-Matrix origin="${origin_server}",destination="${destination}",key="${key}",sig="${sig}"`);
    if (content !== undefined)
      expect(signRequestText(request, Buffer.from(legacyCanonicalJson(content)), signingKey)).toBe(header);
    const parsed = parseXMatrix(header);
    if (parsed === undefined) throw new Error('the header does not parse');
    expect(verifyRequest(parsed, request, verifyKeyOf(signingKey)).ok).toBe(true);
  });
});

describe('X-Matrix headers', () => {
  test.each([
    '',
    'Bearer abc',
    'X-Matrix',
    'X-Matrix ',
    'X-Matrixorigin=a,key="ed25519:1",sig=b',
    'X-Matrix origin=a,key="ed25519:1"',
    'X-Matrix origin=a,sig=b',
    'X-Matrix key="ed25519:1",sig=b',
    'X-Matrix origin=a,origin=b,key="ed25519:1",sig=b',
    'X-Matrix origin=a,ORIGIN=b,key="ed25519:1",sig=b',
    'X-Matrix origin="a,key="ed25519:1",sig=b',
    'X-Matrix origin=a key="ed25519:1" sig=b',
    'X-Matrix origin=a_b,key="ed25519:1",sig=c',
    'X-Matrix origin=a,destination="b_c",key="ed25519:1",sig=d',
    'X-Matrix origin=,key="ed25519:1",sig=d',
    'X-Matrix origin="",key="ed25519:1",sig=d',
    'X-Matrix origin=a,key="ed25519:1",sig=d,"',
  ])('refuses %s', (header) => {
    expect(parseXMatrix(header)).toBeUndefined();
  });

  test('colons and Base64 may stand without quotation marks, as older servers send them', () => {
    expect(parseXMatrix('x-matrix origin=a:8448,key=ed25519:1,sig=a+b/c==')).toEqual({
      origin: 'a:8448',
      destination: undefined,
      key: 'ed25519:1',
      sig: 'a+b/c==',
    });
  });
});

describe('signed requests', () => {
  const key = testSigningKey('one');
  const verifyKey = verifyKeyOf(key);
  const request: SignedRequest = {
    method: 'PUT',
    uri: '/_matrix/federation/v1/send/1?a=b',
    origin: 'one.example' as ServerName,
    destination: 'two.example' as ServerName,
    content: parseJson('{"z":[1.0,{"b":1e3,"a":"é"}],"a":9223372036854775807}', { numbers: 'exact' }),
  };
  const header = parseXMatrix(signRequest(request, key));
  if (header === undefined) throw new Error('the header does not parse');

  test('verify as they were sent, numbers outside canonical JSON included', () => {
    expect(verifyRequest(header, request, verifyKey)).toEqual({ ok: true, keyIds: ['ed25519:1'] });
  });

  test.each([
    { method: 'POST' },
    { uri: '/_matrix/federation/v1/send/1' },
    { destination: 'three.example' as ServerName },
    { origin: 'three.example' as ServerName },
    { content: undefined },
    { content: { z: [] } },
  ])('do not verify when %o differs', (changed) => {
    expect(verifyRequest(header, { ...request, ...changed }, verifyKey).ok).toBe(false);
  });

  test('do not verify with another key, another key id or a text that is no signature', () => {
    const other = verifyKeyFromBase64(testSigningKey('two').publicKey);
    if (other === undefined) throw new Error('no key');
    expect(verifyRequest(header, request, other)).toMatchObject({ reason: 'invalid' });
    expect(verifyRequest({ ...header, sig: '???' }, request, verifyKey)).toMatchObject({ reason: 'malformed' });
    expect(verifyRequest({ ...header, key: 'rsa:1' }, request, verifyKey)).toMatchObject({ reason: 'unsigned' });
  });
});
