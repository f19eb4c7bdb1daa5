/**
 * Every operation that other servers call is sent what it must refuse, and what is odd: by nobody, by others than it says, without the
 * parameters and bodies that it wants. Nothing of that may be a failure of ours, or be served to somebody unknown.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allEndpoints } from '../../src/http/all-endpoints.ts';
import type { Endpoint } from '../../src/http/endpoint.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { type FederatedServers, startFederatedServers } from '../support/federated-servers.ts';
import type { PeerRequest, TestPeer } from '../support/federated-network.ts';
import { testSigningKey } from '../support/keys.ts';
import type { TestResponse } from '../support/test-server.ts';

const signed = allEndpoints.filter(({ auth }) => auth === 'serverSignature');
const titled = signed.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint] as const);

describe.runIf(signed.length > 0)('operations that other servers sign', () => {
  let servers: FederatedServers;
  let peer: TestPeer;
  beforeAll(async () => {
    servers = await startFederatedServers(['one.test']);
    peer = servers.addPeer('peer.test');
  });
  afterAll(() => servers.close());

  const ask = (endpoint: Endpoint<never>, more: Partial<PeerRequest> = {}, filling = '%21a%3Apeer.test') =>
    peer.send('one.test', {
      method: endpoint.method as PeerRequest['method'],
      uri: endpoint.path.replaceAll(/\{\w+\}/g, filling),
      ...(endpoint.method === 'GET' ? {} : { content: {} }),
      ...more,
    });
  const outcome = ({ status, json }: TestResponse): readonly unknown[] => [status, json['errcode']];

  it.each(titled)('%s: who is asked knows who asks', async (_title, endpoint) => {
    const unauthorized = [401, 'M_UNAUTHORIZED'];
    expect(outcome(await ask(endpoint, { authorization: '' }))).toEqual(unauthorized);
    expect(outcome(await ask(endpoint, { authorization: 'Bearer abc' }))).toEqual(unauthorized);
    expect(outcome(await ask(endpoint, { destination: 'two.test' }))).toEqual(unauthorized);
    const forged = testSigningKey('somebody else', 'ed25519:peer');
    expect(outcome(await ask(endpoint, { key: forged }))).toEqual(unauthorized);
    const unknown = testSigningKey('peer.test', 'ed25519:unknown');
    expect(outcome(await ask(endpoint, { key: unknown }))).toEqual(unauthorized);
  });

  it.each(titled)('%s: what is odd harms nobody', async (_title, endpoint) => {
    const bodies: readonly JsonObject[] =
      endpoint.method === 'GET' ? [] : [{}, { pdus: 5, edus: 'x' }, { '\0': '\0', type: 5, content: [], event: null }];
    const fillings = [
      'x',
      '%00',
      'a%00b',
      '%F0%9F%8C%BB',
      '__proto__',
      `%21${'a'.repeat(300)}`,
      '%24a',
      '%40a%3Apeer.test',
    ];
    const answers: TestResponse[] = [];
    for (const filling of fillings) answers.push(await ask(endpoint, {}, filling));
    for (const content of bodies) answers.push(await ask(endpoint, { content }));
    for (const answer of answers) {
      expect(answer.status, answer.text).toBeLessThan(500);
      if (answer.status >= 400) expect(answer.json['errcode']).toMatch(/^M_[A-Z_]+$/);
    }
  });
});
