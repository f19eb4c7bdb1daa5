import { describe, expect, test } from 'vitest';
import { allEndpoints } from '../../src/http/all-endpoints.ts';
import type { Endpoint } from '../../src/http/endpoint.ts';
import { servedOperations } from '../../src/http/served-operations.ts';
import { specification } from '../../src/matrix/api/operations.ts';
import { declaredVersions, missingUpTo, type OperationName } from '../../src/matrix/versions/declared-versions.ts';
import { laterParts } from '../../src/matrix/versions/later-parts.ts';
import { parseSources, textFiles } from '../support/source-files.ts';
import { operationIdsIn } from '../tidy/rules.ts';
import { mismatches, unservedOperations } from './compare-operations.ts';
import { readUnservedList } from './unserved-list.ts';

test('every endpoint has the path, method and authentication of its operation', () => {
  expect(mismatches(allEndpoints)).toEqual([]);
});

test('unserved-operations.txt holds what is not served and nothing else: npm run conformance:update', () => {
  expect(readUnservedList()).toEqual(unservedOperations(allEndpoints));
});

test('what is served has left the table of what comes later', () => {
  const served = servedOperations(allEndpoints);
  expect(Object.keys(laterParts).filter((name) => served.has(name as OperationName))).toEqual([]);
});

test('the last version that is declared is the last whose operations are all served or come in later parts', () => {
  const served = servedOperations(allEndpoints);
  const declared = declaredVersions(served);
  const last = Number(declared.at(-1)?.slice('v1.'.length));
  const waitsFor = missingUpTo(last + 1, served);
  if (last > 1) expect(missingUpTo(last, served)).toEqual([]);
  if (`v1.${last}` !== specification.version) expect(waitsFor).not.toEqual([]);
  expect(declared.includes('r0.6.1')).toBe(waitsFor.length === 0 && Object.keys(laterParts).length === 0);
});

test('no two endpoints have one operationId and path', () => {
  const names = allEndpoints.map(({ operationId, method, path }) => `${operationId} ${method} ${path}`);
  expect(names).toEqual([...new Set(names)]);
});

test('every endpoint file is in allEndpoints, by way of the index.ts of its folder', () => {
  const files = textFiles().filter(({ path }) => path.startsWith('src/http/'));
  const defined = parseSources(files).flatMap(({ tree }) => operationIdsIn(tree));
  const listed = new Set(allEndpoints.map(({ operationId }) => operationId));
  expect(defined.filter((id) => !listed.has(id))).toEqual([]);
});

describe('the comparison itself', () => {
  const endpoint = (changes: Partial<Endpoint<unknown>>): Endpoint<unknown> => ({
    operationId: 'getTokenOwner',
    method: 'GET',
    path: '/_matrix/client/v3/account/whoami',
    auth: 'accessToken',
    rateLimit: 'none',
    params: {},
    query: {},
    handle: () => Promise.resolve({ json: {} }),
    ...changes,
  });
  test('accepts what is as specified, and what is ours', () => {
    expect(mismatches([endpoint({})])).toEqual([]);
    expect(mismatches([endpoint({ operationId: 'listThings', path: '/_synapse/admin/v1/things' })])).toEqual([]);
    expect(mismatches([endpoint({ operationId: 'x', path: '/_matrix/client/unstable/org.example/x' })])).toEqual([]);
  });
  test.each<[Partial<Endpoint<unknown>>, RegExp]>([
    [{ auth: 'none' }, /authentication none/],
    [{ method: 'POST' }, /is served at POST .*has it at GET/],
    [{ path: '/_matrix/client/v1/account/whoami' }, /has it at GET \/_matrix\/client\/v3\/account\/whoami/],
    [{ operationId: 'whoami' }, /the specification says getTokenOwner/],
    [{ operationId: 'whoami', path: '/_matrix/client/v3/whoami' }, /knows no operation whoami/],
  ])('finds %s', (changes, sentence) => {
    expect(mismatches([endpoint(changes)])).toEqual([expect.stringMatching(sentence)]);
  });
  test('lists an operation as unserved until its endpoint is as specified', () => {
    const line = 'client-server GET /_matrix/client/v3/account/whoami getTokenOwner: what clients call';
    expect(unservedOperations([])).toContain(line);
    expect(unservedOperations([endpoint({})])).not.toContain(line);
    expect(unservedOperations([endpoint({ method: 'POST' })])).toContain(line);
    expect(servedOperations([endpoint({})])).toEqual(new Set(['client-server getTokenOwner']));
  });
});
