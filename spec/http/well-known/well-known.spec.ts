import { afterEach, describe, expect, it } from 'vitest';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import { wellKnownEndpoints } from '../../../src/http/well-known/index.ts';
import { wellKnownSettings } from '../../../src/http/well-known/well-known-settings.ts';
import { Secret } from '../../../src/platform/secret.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

type Configured = Parameters<typeof wellKnownSettings>[0];
const listener = { bind: '127.0.0.1', port: 8008, trustedProxies: [], tls: undefined };
const noLivekit: Configured['livekit'] = {
  url: undefined,
  apiKey: undefined,
  apiSecret: undefined,
  apiUrl: undefined,
  serviceUrl: undefined,
  otherServices: [],
  allowedServers: [],
};
const bare: Configured = {
  publicBaseUrl: 'http://localhost:8008',
  listeners: [{ ...listener, serve: ['client', 'federation'] }],
  federation: { enabled: true },
  support: { contacts: [], supportPage: undefined },
  policyServer: { publicKeys: {} },
  livekit: noLivekit,
};

let server: TestServer | undefined;
afterEach(() => server?.close());
async function answers(config: Configured, file: string): Promise<unknown[]> {
  server = await startTestServer({
    endpoints: wellKnownEndpoints,
    domain: { wellKnown: wellKnownSettings(config) },
  });
  const reply = await server.request('GET', `/.well-known/matrix/${file}`);
  return [reply.status, reply.json];
}
const notConfigured = [404, { errcode: 'M_NOT_FOUND', error: expect.any(String) }];

describe('/.well-known/matrix', () => {
  it('says where clients find the server', async () => {
    expect(await answers(bare, 'client')).toEqual([200, { 'm.homeserver': { base_url: 'http://localhost:8008' } }]);
  });

  it('names the LiveKits that carry calls of many, its own first', async () => {
    const other = 'https://calls.example.com/jwt';
    const own = {
      ...noLivekit,
      url: 'wss://livekit.example.org',
      apiKey: 'key',
      apiSecret: new Secret('secret'),
      otherServices: [other],
    };
    const [, json] = await answers({ ...bare, livekit: own }, 'client');
    expect(json).toMatchObject({
      'org.matrix.msc4143.rtc_foci': [
        {
          type: 'livekit',
          livekit_service_url: 'http://localhost:8008/_matrix/livekit/jwt',
          url: 'wss://livekit.example.org',
        },
        { type: 'livekit', livekit_service_url: other },
      ],
    });
  });

  it.each(['server', 'support', 'policy_server'])('has no file %s where nothing is configured', async (file) => {
    expect(await answers(bare, file)).toEqual(notConfigured);
  });

  it('sends other servers to a public base URL behind which federation is served', async () => {
    const publicBaseUrl = 'https://matrix.example.org';
    expect(await answers({ ...bare, publicBaseUrl }, 'server')).toEqual([
      200,
      { 'm.server': 'matrix.example.org:443' },
    ]);
    expect(await answers({ ...bare, publicBaseUrl: 'https://[2001:db8::1]:8443' }, 'server')).toEqual([
      200,
      { 'm.server': '[2001:db8::1]:8443' },
    ]);
    const separate: Configured['listeners'] = [
      { ...listener, serve: ['client', 'media'] },
      { ...listener, port: 8448, serve: ['federation'] },
    ];
    expect(await answers({ ...bare, publicBaseUrl, listeners: separate }, 'server')).toEqual(notConfigured);
    const island = { enabled: false };
    expect(await answers({ ...bare, publicBaseUrl, federation: island }, 'server')).toEqual(notConfigured);
  });

  it('names the support contacts and page, and leaves out what there is not', async () => {
    const admin = { role: 'm.role.admin', matrixId: '@admin:example.org' as UserId, emailAddress: 'admin@example.org' };
    const security = { role: 'm.role.security', matrixId: undefined, emailAddress: 'security@example.org' };
    const support = { contacts: [admin, security], supportPage: 'https://example.org/help' };
    expect(await answers({ ...bare, support }, 'support')).toEqual([
      200,
      {
        contacts: [
          { role: 'm.role.admin', matrix_id: '@admin:example.org', email_address: 'admin@example.org' },
          { role: 'm.role.security', email_address: 'security@example.org' },
        ],
        support_page: 'https://example.org/help',
      },
    ]);
    const page = { contacts: [], supportPage: 'https://example.org/help' };
    expect(await answers({ ...bare, support: page }, 'support')).toEqual([
      200,
      { support_page: 'https://example.org/help' },
    ]);
  });

  it("publishes the policy server's keys", async () => {
    const publicKeys = { ed25519: '6yhHGKhCiXTSEN2ksjV7kX_N6rBQZ3Xb-M7LlC6NS-s' };
    expect(await answers({ ...bare, policyServer: { publicKeys } }, 'policy_server')).toEqual([
      200,
      { public_keys: publicKeys },
    ]);
  });
});
