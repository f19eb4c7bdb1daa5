import { afterEach, describe, expect, it } from 'vitest';
import { getServerKey } from '../../../src/http/keys/get-server-key.ts';
import { signingKeyFromSeed, verifyKeyOf } from '../../../src/matrix/crypto/ed25519.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { canonicalJson } from '../../../src/matrix/json/canonical-json.ts';
import { verifySignedJson } from '../../../src/matrix/json/signed-json.ts';
import { LocalServers } from '../../../src/platform/local-servers.ts';
import { openRawConnection } from '../../support/raw-connection.ts';
import { testEpochMs, testPorts } from '../../support/test-ports.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

const first = signingKeyFromSeed('ed25519:first', Buffer.alloc(32, 1));
const second = signingKeyFromSeed('ed25519:second', Buffer.alloc(32, 2));
const old = { keyId: 'ed25519:old', publicKey: second.publicKey, expiredTs: 1_600_000_000_000 };
const localServers = new LocalServers([
  { serverName: 'one.example' as ServerName, signingKey: first, oldSigningKeys: [old] },
  { serverName: 'two.example' as ServerName, signingKey: second, oldSigningKeys: [] },
]);

let server: TestServer | undefined;
afterEach(() => server?.close());

describe('GET /_matrix/key/v2/server', () => {
  it('publishes the keys of the server that was asked, signed by its own key', async () => {
    server = await startTestServer({
      endpoints: [getServerKey],
      domain: { localServers, clock: testPorts().clock },
    });
    for (const path of ['/_matrix/key/v2/server', '/_matrix/key/v2/server/', '/_matrix/key/v2/server/ed25519:first']) {
      const { status, json } = await server.request('GET', path);
      expect(status).toBe(200);
      expect(json).toEqual({
        server_name: 'one.example',
        verify_keys: { 'ed25519:first': { key: first.publicKey } },
        old_verify_keys: { 'ed25519:old': { key: second.publicKey, expired_ts: 1_600_000_000_000 } },
        valid_until_ts: testEpochMs + 24 * 60 * 60 * 1000,
        signatures: { 'one.example': { 'ed25519:first': expect.any(String) } },
      });
      const { signatures: _signatures, ...signed } = json;
      // Some readers check the signature of the text as it comes.
      expect(JSON.stringify(signed)).toBe(canonicalJson(signed));
      expect(verifySignedJson(json, 'one.example', () => verifyKeyOf(first)).ok).toBe(true);
    }
    const connection = openRawConnection(server.port);
    connection.send('GET /_matrix/key/v2/server HTTP/1.1\r\nHost: two.example\r\nConnection: close\r\n\r\n');
    expect(await connection.ended()).toContain('"server_name":"two.example"');
  });
});
