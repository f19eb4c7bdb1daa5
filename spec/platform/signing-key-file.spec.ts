import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nacl from 'tweetnacl';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isServerName } from '../../src/matrix/ids/server-name.ts';
import type { ServerName } from '../../src/matrix/ids/ids.ts';
import { loadLocalServers } from '../../src/platform/load-local-servers.ts';
import { LocalServers } from '../../src/platform/local-servers.ts';
import { loadSigningKey, parseSigningKeyFile, SigningKeyFileError } from '../../src/platform/signing-key-file.ts';
import { seededRandom } from '../support/test-ports.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-key-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function serverName(text: string): ServerName {
  if (!isServerName(text)) throw new Error(`${text} is not a server name`);
  return text;
}

describe('the signing key file', () => {
  it('is made once, in its own folder, for its owner only', async () => {
    const path = join(folder, 'new', 'deep', 'signing.key');
    const made = await loadSigningKey(path, seededRandom('made'));
    expect(readFileSync(path, 'utf8')).toMatch(/^ed25519 a_[A-Za-z]{4} [A-Za-z0-9+/]{43}\n$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'new', 'deep'))).toEqual(['signing.key']);
    const again = await loadSigningKey(path, seededRandom('another'));
    expect([again.keyId, again.publicKey]).toEqual([made.keyId, made.publicKey]);
  });

  it('is the same for those who make it at once', async () => {
    const path = join(folder, 'raced.key');
    const keys = await Promise.all(Array.from({ length: 8 }, (_, seed) => loadSigningKey(path, seededRandom(seed))));
    expect(new Set(keys.map(({ publicKey }) => publicKey)).size).toBe(1);
  });

  it("is read in Synapse's format, and signs as another implementation does", () => {
    const seed = Buffer.alloc(32, 7);
    const key = parseSigningKeyFile(`ed25519 auto ${seed.toString('base64').replace(/=+$/, '')}\n`, 'x');
    const pair = nacl.sign.keyPair.fromSeed(seed);
    expect(key.keyId).toBe('ed25519:auto');
    expect(Buffer.from(key.publicKey, 'base64')).toEqual(Buffer.from(pair.publicKey));
    const bytes = Buffer.from('to be signed');
    expect(Buffer.from(key.sign(bytes))).toEqual(Buffer.from(nacl.sign.detached(bytes, pair.secretKey)));
  });

  it.each([
    ['', 'is empty'],
    ['\n \n', 'is empty'],
    ['ed25519 a_b', 'is not of the form'],
    ['rsa a_b AAAA', 'is not of the form'],
    ['ed25519 a_b AAAA', 'is not of the form'],
    [`ed25519 a-b ${'A'.repeat(43)}`, 'is not of the form'],
    [`ed25519 a ${'A'.repeat(43)}\ned25519 b ${'B'.repeat(43)}`, 'has more than one key'],
  ])('that says %j is refused in a sentence without the key', (text, message) => {
    const parse = (): unknown => parseSigningKeyFile(text, '/data/signing.key');
    expect(parse).toThrow(SigningKeyFileError);
    expect(parse).toThrow(`/data/signing.key ${message}`);
    expect(parse).not.toThrow('AAAA');
  });

  it('is not replaced when it cannot be read', async () => {
    const path = join(folder, 'broken.key');
    writeFileSync(path, 'broken');
    await expect(loadSigningKey(path, seededRandom(1))).rejects.toThrow(SigningKeyFileError);
    expect(readFileSync(path, 'utf8')).toBe('broken');
    await expect(loadSigningKey(folder, seededRandom(1))).rejects.toThrow('EISDIR');
  });
});

describe('LocalServers', () => {
  it('knows its names, each with its key', async () => {
    const [keyA, keyB] = await Promise.all(
      ['a', 'b'].map((name) => loadSigningKey(join(folder, name), seededRandom(name))),
    );
    if (keyA === undefined || keyB === undefined) throw new Error('no keys');
    const old = { keyId: 'ed25519:old', publicKey: 'AAAA', expiredTs: 1 };
    const servers = new LocalServers([
      { serverName: serverName('a.example'), signingKey: keyA, oldSigningKeys: [old] },
      { serverName: serverName('b.example:8448'), signingKey: keyB, oldSigningKeys: [] },
    ]);
    expect(servers.names()).toEqual(['a.example', 'b.example:8448']);
    expect(servers.main).toBe('a.example');
    expect(
      ['a.example', 'b.example:8448', 'b.example', 'A.example', 'c.example'].map((name) => servers.isLocal(name)),
    ).toEqual([true, true, false, false, false]);
    expect(servers.signingKeyOf('b.example:8448')).toBe(keyB);
    expect(servers.oldSigningKeysOf('a.example')).toEqual([old]);
    expect(() => servers.signingKeyOf('c.example')).toThrow('c.example is not a name of this server');
    const twice = { serverName: serverName('a.example'), signingKey: keyA, oldSigningKeys: [] };
    expect(() => new LocalServers([twice, twice])).toThrow('the same name');
  });

  it('come from the configuration', async () => {
    const config = { serverName: serverName('c.example'), signingKeyPath: join(folder, 'c.key'), oldSigningKeys: [] };
    const servers = await loadLocalServers(config, seededRandom('c'));
    expect(servers.signingKeyOf(servers.main).keyId).toMatch(/^ed25519:a_/);
  });
});
