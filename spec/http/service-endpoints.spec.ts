import { afterEach, describe, expect, it } from 'vitest';
import { versionsEndpoints } from '../../src/http/client/versions/index.ts';
import { unstableFeatures } from '../../src/http/client/versions/unstable-features.ts';
import { defineEndpoint } from '../../src/http/endpoint.ts';
import { getVersion } from '../../src/http/federation/get-version.ts';
import { healthEndpoints } from '../../src/http/health/index.ts';
import { metricsEndpoints } from '../../src/http/metrics/index.ts';
import { requestMetrics } from '../../src/http/request-metrics.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer | undefined;
afterEach(() => server?.close());

describe('GET /_matrix/client/versions', () => {
  it('says what it is given, whatever the token', async () => {
    const versions = { specificationVersions: ['v1.1', 'v1.2'], unstableFeatures: { 'org.example': true } };
    server = await startTestServer({ endpoints: versionsEndpoints, domain: { versions } });
    for (const token of [undefined, 'expired']) {
      const reply = await server.request('GET', '/_matrix/client/versions', token === undefined ? {} : { token });
      expect(reply.json).toEqual({ versions: ['v1.1', 'v1.2'], unstable_features: { 'org.example': true } });
    }
  });

  it('names an unstable feature when its path is served, and not before', () => {
    const profile = defineEndpoint({
      operationId: 'getProfileField',
      method: 'GET',
      path: '/_matrix/client/v3/profile/{userId}/{keyName}',
      alsoAt: ['/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}/{keyName}'],
      auth: 'none',
      rateLimit: 'none',
      params: {},
      query: {},
      handle: async () => ({ json: {} }),
    });
    expect(unstableFeatures(versionsEndpoints)).toEqual({});
    expect(unstableFeatures([profile])).toEqual({ 'uk.tcpip.msc4133': true, 'uk.tcpip.msc4133.stable': true });
  });
});

describe('GET /_matrix/federation/v1/version', () => {
  it('names the software, and everything else of federation is not recognized', async () => {
    server = await startTestServer({
      endpoints: [getVersion],
      domain: { software: { name: 'veche', version: '1.2.3' } },
    });
    const { json } = await server.request('GET', '/_matrix/federation/v1/version');
    expect(json).toEqual({ server: { name: 'veche', version: '1.2.3' } });
    for (const path of ['/_matrix/federation/v1/send/1', '/_matrix/key/v2/query', '/_matrix/federation/unstable/x']) {
      const reply = await server.request('PUT', path, { body: {} });
      expect([reply.status, reply.json.errcode]).toEqual([404, 'M_UNRECOGNIZED']);
    }
    expect((await server.request('PUT', '/_matrix/federation/v1/version')).status).toBe(405);
  });
});

describe('GET /health', () => {
  it('is well when nothing is wrong, lives when something is, and takes no part in what it cannot do', async () => {
    const problems: string[] = [];
    server = await startTestServer({
      endpoints: healthEndpoints,
      domain: { health: { findProblem: async () => problems[0] } },
    });
    for (const path of ['/health', '/health/live', '/health/ready'])
      expect((await server.request('GET', path)).json).toEqual({ status: 'ok' });
    problems.push('database');
    for (const path of ['/health', '/health/ready']) {
      const reply = await server.request('GET', path);
      expect([reply.status, reply.json]).toEqual([503, { status: 'unavailable', problem: 'database' }]);
    }
    expect((await server.request('GET', '/health/live')).status).toBe(200);
  });
});

describe('GET /metrics', () => {
  it('has every answered request by operation and status', async () => {
    const metrics = new Metrics({ process: false });
    server = await startTestServer({
      endpoints: metricsEndpoints,
      domain: { metrics },
      metrics: requestMetrics(metrics),
    });
    await server.request('GET', '/_matrix/client/v3/nothing');
    await server.request('GET', '/_matrix/client/v3/nothing');
    const reply = await server.request('GET', '/metrics');
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, metrics.contentType]);
    const name = 'veche_http_request_duration_seconds';
    expect(reply.text).toContain(`${name}_count{operation="unrecognized",status="404"} 2`);
    expect(reply.text).toContain(`${name}_bucket{le="60",operation="unrecognized",status="404"} 2`);
  });
});
