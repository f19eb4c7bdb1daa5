import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFromServeEnv } from '../../../src/platform/config/serve-env.ts';

const allParts = ['client', 'media', 'federation', 'admin', 'health', 'metrics'];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-serve-env-'));
  mkdirSync(join(folder, 'appservice'));
  for (const name of ['cert.pem', 'key.pem', 'ca.pem', 'ca2.pem']) writeFileSync(join(folder, name), '');
  for (const name of ['b.yaml', 'a.yaml', 'notes.txt']) writeFileSync(join(folder, 'appservice', name), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('configFromServeEnv', () => {
  it('has a default for everything', () => {
    const config = configFromServeEnv({});
    expect(config).toMatchObject({
      serverName: 'localhost',
      publicBaseUrl: 'http://127.0.0.1:8008',
      dataDir: join(process.cwd(), 'data'),
      database: { engine: 'sqlite' },
      registration: { enabled: true, requireToken: false, sharedSecret: undefined },
      rateLimits: { enabled: false },
      media: { allowUnauthenticated: true, uploadBytesMax: 4294967296 },
      federation: {
        enabled: true,
        verifyTls: true,
        allowPrivateAddresses: ['127.0.0.0/8', '::1/128'],
        trustedKeyServers: [],
      },
      outgoing: { allowPrivateAddresses: ['127.0.0.0/8', '::1/128'] },
      rooms: { encryptByDefault: 'off', defaultVersion: '12' },
      password: { argon2: { memoryKib: 19456, passes: 2 } },
      applicationServices: [],
    });
    expect(config.listeners).toEqual([
      { bind: '127.0.0.1', port: 8008, serve: allParts, trustedProxies: [], tls: undefined },
    ]);
  });

  it('takes everything that a suite says', () => {
    const config = configFromServeEnv({
      SERVER_NAME: 'hs1',
      BIND_ADDRESS: '127.88.1.1',
      CLIENT_PORT: '18008',
      FEDERATION_PORT: '18448',
      PUBLIC_BASEURL: 'http://hs1:18008',
      DATA_DIR: '/tmp/hs1',
      TLS_CERT: join(folder, 'cert.pem'),
      TLS_KEY: join(folder, 'key.pem'),
      CA_CERT: join(folder, 'ca.pem'),
      REGISTRATION_SHARED_SECRET: 'complement',
      APPSERVICE_DIR: join(folder, 'appservice'),
      HASH_COST: 'low',
      MAX_UPLOAD: '1000',
      DATABASE_URL: 'postgres://localhost/hs1',
    });
    expect(config).toMatchObject({
      serverName: 'hs1',
      publicBaseUrl: 'http://hs1:18008',
      dataDir: '/tmp/hs1',
      database: { engine: 'postgres' },
      password: { argon2: { memoryKib: 8, passes: 1 } },
      media: { uploadBytesMax: 1000 },
      federation: { caCertificates: [join(folder, 'ca.pem')] },
      applicationServices: [join(folder, 'appservice/a.yaml'), join(folder, 'appservice/b.yaml')],
    });
    expect(config.database.url?.reveal()).toBe('postgres://localhost/hs1');
    expect(config.registration.sharedSecret?.reveal()).toBe('complement');
    expect(config.listeners).toMatchObject([
      { bind: '127.88.1.1', port: 18008, serve: allParts, tls: undefined },
      {
        bind: '127.88.1.1',
        port: 18448,
        serve: ['federation'],
        tls: { certificate: join(folder, 'cert.pem'), privateKey: join(folder, 'key.pem') },
      },
    ]);
    const [first, second] = [join(folder, 'ca.pem'), join(folder, 'ca2.pem')];
    expect(configFromServeEnv({ TLS_CA: second }).federation.caCertificates).toEqual([second]);
    expect(configFromServeEnv({ TLS_CA: second, CA_CERT: first }).federation.caCertificates).toEqual([first]);
    expect(configFromServeEnv({ BIND_ADDRESS: '::1' }).publicBaseUrl).toBe('http://[::1]:8008');
  });

  it('has no federation listener without a certificate', () => {
    expect(configFromServeEnv({ FEDERATION_PORT: '18448', TLS_KEY: '/k', TLS_CERT: '' }).listeners).toHaveLength(1);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '192.168.1.1', '8.8.8.8'])('refuses to listen on %s', (address) => {
    expect(() => configFromServeEnv({ BIND_ADDRESS: address })).toThrow(
      `BIND_ADDRESS: ${address} is not a loopback address`,
    );
  });

  it('refuses it also where a VECHE_ variable says so', () => {
    const environment = { VECHE_LISTENERS: '[{ bind: 0.0.0.0, port: 1, serve: [client] }]' };
    expect(() => configFromServeEnv(environment)).toThrow('VECHE_LISTENERS: 0.0.0.0 is not a loopback address');
    expect(configFromServeEnv({ VECHE_LOG__LEVEL: 'warn' }).log.level).toBe('warn');
  });

  it('names every mistake by its variable', () => {
    expect(() =>
      configFromServeEnv({
        SERVER_NAME: 'not a name',
        BIND_ADDRESS: 'localhost',
        CLIENT_PORT: 'http',
        HASH_COST: 'medium',
        MAX_UPLOAD: '-1',
        TLS_CERT: '/c',
        APPSERVICE_DIR: join(folder, 'absent'),
        DATABASE_URL: 'mysql://x',
      }),
    ).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /(?=[^]*SERVER_NAME: server_name: must)(?=[^]*BIND_ADDRESS: listeners\[0\]\.bind: must)(?=[^]*CLIENT_PORT: must)(?=[^]*HASH_COST: must)(?=[^]*MAX_UPLOAD: must)(?=[^]*TLS_KEY: is needed)(?=[^]*APPSERVICE_DIR: cannot)(?=[^]*DATABASE_URL: database\.url: must)/,
        ) as string,
      }),
    );
  });
});
