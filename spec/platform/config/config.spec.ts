import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../../../src/platform/config/config.ts';
import { ConfigError } from '../../../src/platform/config/mistakes.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-config-'));
  for (const name of ['cert.pem', 'key.pem', 'bridge.yaml']) write(name, '');
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
const load = (yaml: string, environment: Record<string, string> = {}): Config =>
  loadConfig(write('config.yaml', yaml), environment);
function mistakesOf(yaml: string, environment: Record<string, string> = {}): string[] {
  try {
    load(yaml, environment);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.message.split('\n').map((line) => line.replace(`${folder}/config.yaml`, 'config.yaml'));
    throw error;
  }
  throw new Error('there was no mistake');
}

describe('without a configuration', () => {
  it('everything has a value that works', () => {
    const config = loadConfig(undefined, {});
    expect(config).toMatchObject({
      serverName: 'localhost',
      publicBaseUrl: 'http://localhost:8008',
      dataDir: join(process.cwd(), 'data'),
      signingKeyPath: join(process.cwd(), 'data/signing.key'),
      database: { engine: 'sqlite', url: undefined },
      registration: { enabled: false, requireToken: false, sharedSecret: undefined },
      password: { minimumLength: 8, argon2: { memoryKib: 19456, passes: 2 } },
      media: { uploadBytesMax: 4294967296, allowUnauthenticated: false },
      rooms: { defaultVersion: '12', encryptByDefault: 'private' },
      log: { level: 'info', format: 'auto' },
    });
    expect(config.listeners).toEqual([
      {
        bind: '127.0.0.1',
        port: 8008,
        serve: ['client', 'media', 'federation', 'admin', 'health', 'metrics'],
        trustedProxies: [],
        tls: undefined,
      },
    ]);
  });

  it('an empty file says the same as no file', () => {
    expect(load('')).toEqual(loadConfig(undefined, {}));
    expect(load('# nothing\nregistration:\n')).toEqual(loadConfig(undefined, {}));
  });
});

describe('a configuration', () => {
  it('with every name of the contract is read', () => {
    const config = load(`
server_name: example.org
public_base_url: https://matrix.example.org/
data_dir: ./data
signing_key_path: ./data/signing.key
old_signing_keys: []
listeners:
  - { bind: 127.0.0.1, port: 8008, serve: [client, media, federation, admin, health, metrics], trusted_proxies: [] }
  - { bind: '::', port: 8448, serve: [federation], tls: { certificate: cert.pem, private_key: ./sub/../key.pem } }
database: { engine: sqlite }
registration: { enabled: false, require_token: false, shared_secret: null }
password: { minimum_length: 8, argon2: { memory_kib: 19456, passes: 2 } }
rate_limits: { enabled: true, send: { per_second: 0.5, burst: 7 } }
presence: { enabled: true }
media: { upload_bytes_max: 4294967296, allow_unauthenticated: false }
federation: { enabled: true, ca_certificates: [], verify_tls: true, allow_private_addresses: [], trusted_key_servers: [matrix.org] }
outgoing: { allow_private_addresses: [10.0.0.0/8, "::1"] }
application_services: [bridge.yaml]
server_notices: { localpart: _server }
support: { contacts: [{ role: m.role.admin, matrix_id: "@admin:example.com" }], support_page: null }
policy_server: { public_keys: { ed25519: 6yhHGKhCiXTSEN2ksjV7kX_N6rBQZ3Xb-M7LlC6NS-s } }
rooms: { default_version: "12", encrypt_by_default: private }
log: { level: info, format: auto }
`);
    expect(config.publicBaseUrl).toBe('https://matrix.example.org');
    expect(config.listeners[1]).toMatchObject({
      bind: '::',
      port: 8448,
      tls: { certificate: join(folder, 'cert.pem'), privateKey: join(folder, 'key.pem') },
    });
    expect(config.rateLimits.send).toEqual({ perSecond: 0.5, burst: 7 });
    expect(config.rateLimits.read).toEqual({ perSecond: 100, burst: 1000 });
    expect(config.applicationServices).toEqual([join(folder, 'bridge.yaml')]);
    expect(config.policyServer.publicKeys).toEqual({ ed25519: '6yhHGKhCiXTSEN2ksjV7kX_N6rBQZ3Xb-M7LlC6NS-s' });
    expect(config.support.contacts).toEqual([
      { role: 'm.role.admin', matrixId: '@admin:example.com', emailAddress: undefined },
    ]);
  });

  it('has paths relative to its own folder, and defaults relative to the working directory', () => {
    expect(load('data_dir: ./here')).toMatchObject({
      dataDir: join(folder, 'here'),
      signingKeyPath: join(folder, 'here/signing.key'),
    });
    expect(load('server_name: a.example').dataDir).toBe(join(process.cwd(), 'data'));
  });

  it('gives the address for clients when there is none', () => {
    expect(load('server_name: example.org:8448').publicBaseUrl).toBe('https://example.org');
    expect(load('listeners: [{ bind: 127.0.0.1, port: 9000, serve: [client] }]').publicBaseUrl).toBe(
      'http://localhost:9000',
    );
  });

  it('may use anchors and aliases', () => {
    const config = load(
      'federation: { allow_private_addresses: &inside [10.0.0.0/8] }\noutgoing: { allow_private_addresses: *inside }',
    );
    expect(config.outgoing.allowPrivateAddresses).toEqual(['10.0.0.0/8']);
  });
});

describe('mistakes', () => {
  it('are all named, with file, line and key', () => {
    expect(
      mistakesOf(`server_nam: example.org
public_base_url: matrix.example.org
listeners:
  - bind: localhost
    port: 70000
    serve: [client, everything]
    tls:
      certificate: cert.pem
  - { bind: 127.0.0.1, port: 8008, serve: [], trustd_proxies: [] }
database:
  engine: mysql
registration:
  enabled: yes
  shared_secret: 12345
password: { minimum_length: 0, argon2: 5 }
federation:
  allow_private_addresses:
    - 10.0.0.0/8
    - 10.0.0.0/40
  trusted_key_servers: matrix.org
rooms: { default_version: 12 }
rate_limits: { send: { per_second: -1, burst: 1.5 } }
old_signing_keys:
  - { key_id: rsa:1, public_key: abc, expired_ts: soon }
`),
    ).toEqual([
      'config.yaml:1: server_nam: there is no such key; server_name was probably meant',
      'config.yaml:2: public_base_url: must be an http or https URL, not the text "matrix.example.org"',
      'config.yaml:4: listeners[0].bind: must be an IP address, not the text "localhost"',
      'config.yaml:5: listeners[0].port: must be a whole number from 0 to 65535, not 70000',
      'config.yaml:6: listeners[0].serve[1]: must be one of client, media, federation, admin, health, metrics, not the text "everything"',
      'config.yaml:7: listeners[0].tls.private_key: is missing',
      'config.yaml:9: listeners[1].trustd_proxies: there is no such key; trusted_proxies was probably meant',
      'config.yaml:9: listeners[1].serve: must have at least 1 entry',
      'config.yaml:11: database.engine: must be one of sqlite, postgres, not the text "mysql"',
      'config.yaml:13: registration.enabled: must be true or false, not the text "yes"',
      'config.yaml:14: registration.shared_secret: must be text (in quotes, where it looks like a number)',
      'config.yaml:15: password.minimum_length: must be a whole number from 1 to 512, not 0',
      'config.yaml:15: password.argon2: must be a section with keys, not 5',
      'config.yaml:19: federation.allow_private_addresses[1]: must be an address or a range such as 10.0.0.0/8 or fd00::/8, not the text "10.0.0.0/40"',
      'config.yaml:20: federation.trusted_key_servers: must be a list, not the text "matrix.org"',
      'config.yaml:21: rooms.default_version: must be one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, not 12 (a number; as text it needs quotes)',
      'config.yaml:22: rate_limits.send.per_second: must be a number above 0, not -1',
      'config.yaml:22: rate_limits.send.burst: must be a whole number from 1 to 1000000, not 1.5',
      'config.yaml:24: old_signing_keys[0].key_id: must be a key id, such as ed25519:a_abcd, not the text "rsa:1"',
      'config.yaml:24: old_signing_keys[0].public_key: must be a public key in unpadded Base64, not the text "abc"',
      'config.yaml:24: old_signing_keys[0].expired_ts: must be a whole number from 0, not the text "soon"',
    ]);
  });

  it('between keys are named at the key that is at fault', () => {
    expect(mistakesOf('\ndatabase: { engine: postgres }')).toEqual([
      'config.yaml:2: database.url: is needed when engine is postgres',
    ]);
    expect(mistakesOf('database:\n  url: "postgres://x"')).toEqual([
      'config.yaml:2: database.url: is for engine postgres only',
    ]);
    expect(
      mistakesOf(
        'listeners:\n  - { bind: 127.0.0.1, port: 1, serve: [client] }\n  - { bind: 127.0.0.1, port: 1, serve: [media] }',
      ),
    ).toEqual(['config.yaml:3: listeners[1]: is the same as listeners[0]']);
    expect(mistakesOf('policy_server: { public_keys: { rsa: AAAA } }')).toEqual([
      'config.yaml:1: policy_server.public_keys: must have ed25519',
    ]);
    expect(mistakesOf('support:\n  contacts:\n    - role: m.role.admin')).toEqual([
      'config.yaml:3: support.contacts[0].matrix_id: or email_address is needed',
    ]);
  });

  it('of YAML itself are named with their line', () => {
    expect(mistakesOf('server_name: a.example\nlisteners: [\n')[0]).toMatch(/^config\.yaml:\d: not valid YAML: /);
    expect(mistakesOf('a: *nowhere')[0]).toMatch(/^config\.yaml:1: /);
    expect(mistakesOf('server_name: a.example\nserver_name: b.example')).toEqual([
      'config.yaml:2: server_name: is given twice; first in line 1',
    ]);
    expect(mistakesOf('? [a]\n: b')).toEqual(['config.yaml:1: has a key that is not text']);
    expect(mistakesOf('- a\n- b')).toEqual(['config.yaml:1: must be a section with keys, not a list']);
  });

  it('do not end in a loop: aliases of aliases are refused', () => {
    const bomb = Array.from(
      { length: 12 },
      (_, i) => `a${i}: &a${i} [${new Array(10).fill(i === 0 ? '1' : `*a${i - 1}`).join(', ')}]`,
    );
    expect(mistakesOf(bomb.join('\n')).some((line) => line.includes('nested too deeply or too long'))).toBe(true);
    expect(
      mistakesOf('federation: &x { ca_certificates: [*x] }').some((line) => line.includes('nested too deeply')),
    ).toBe(true);
  });

  it('name files that are not there', () => {
    expect(
      mistakesOf('federation:\n  ca_certificates: [./absent.pem, .]\napplication_services: [absent.yaml]').map((line) =>
        line.replaceAll(folder, '.'),
      ),
    ).toEqual([
      'config.yaml:2: federation.ca_certificates[0]: the file ./absent.pem cannot be read (ENOENT)',
      'config.yaml:2: federation.ca_certificates[1]: the file . cannot be read (it is not a file)',
      'config.yaml:3: application_services[0]: the file ./absent.yaml cannot be read (ENOENT)',
    ]);
    expect(() => loadConfig(join(folder, 'absent.yaml'), {})).toThrow(/absent\.yaml: cannot be read: ENOENT/);
  });
});

describe('the environment', () => {
  it('wins over the file, key by key', () => {
    const config = load('password: { minimum_length: 10, argon2: { passes: 3 } }\nrooms: { default_version: "11" }', {
      VECHE_SERVER_NAME: 'env.example',
      VECHE_PASSWORD__ARGON2__MEMORY_KIB: '64',
      VECHE_ROOMS__DEFAULT_VERSION: '10',
      VECHE_FEDERATION__ALLOW_PRIVATE_ADDRESSES: '[10.0.0.0/8]',
      VECHE_LISTENERS: '[{ bind: "::1", port: 1234, serve: [client] }]',
      VECHE_RATE_LIMITS__ENABLED: 'false',
      VECHE_PUBLIC_BASE_URL: '',
      OTHER: 'is none of ours',
    });
    expect(config).toMatchObject({
      serverName: 'env.example',
      password: { minimumLength: 10, argon2: { memoryKib: 64, passes: 3 } },
      rooms: { defaultVersion: '10' },
      federation: { allowPrivateAddresses: ['10.0.0.0/8'] },
      listeners: [{ bind: '::1', port: 1234 }],
      rateLimits: { enabled: false },
    });
  });

  it('does not hide a mistake of the file', () => {
    expect(mistakesOf('log: 5\npresence:', { VECHE_LOG__LEVEL: 'warn', VECHE_PRESENCE__ENABLED: 'false' })).toEqual([
      'config.yaml:1: log: must be a section with keys, not 5',
    ]);
    expect(load('presence:', { VECHE_PRESENCE__ENABLED: 'false' }).presence.enabled).toBe(false);
  });

  it('unsets with null what may be null', () => {
    expect(load('signing_key_path: /x', { VECHE_SIGNING_KEY_PATH: 'null', VECHE_DATA_DIR: '/y' }).signingKeyPath).toBe(
      '/y/signing.key',
    );
  });

  it('has mistakes too', () => {
    expect(
      mistakesOf('log: { level: loud }', {
        VECHE_DATABASE__ENGINE: 'oracle',
        VECHE_DATABASE_ENGINE: 'sqlite',
        VECHE_LISTENERS: '[',
        VECHE_MEDIA__UPLOAD_BYTES_MAX: 'much',
      }),
    ).toEqual([
      'config.yaml:1: log.level: must be one of trace, debug, info, warn, error, fatal, silent, not the text "loud"',
      'VECHE_DATABASE_ENGINE: there is no such variable; VECHE_DATABASE__ENGINE was probably meant',
      expect.stringMatching(/^VECHE_LISTENERS: listeners: not valid YAML/),
      'VECHE_DATABASE__ENGINE: database.engine: must be one of sqlite, postgres, not the text "oracle"',
      'VECHE_MEDIA__UPLOAD_BYTES_MAX: media.upload_bytes_max: must be a whole number from 0, not the text "much"',
    ]);
  });
});

describe('an object store', () => {
  const complete = 'bucket: files, access_key_id: id, secret_access_key: hunter2';

  it('is used with a bucket and a key', () => {
    const { storage, s3 } = load(
      `media: { storage: s3, s3: { ${complete}, endpoint: "http://10.0.0.1:9000/" } }`,
    ).media;
    expect(storage).toBe('s3');
    expect(s3).toMatchObject({ endpoint: 'http://10.0.0.1:9000', region: 'us-east-1', prefix: '', pathStyle: true });
    expect(s3.secretAccessKey?.reveal()).toBe('hunter2');
    expect(inspect(s3)).not.toContain('hunter2');
    expect(load(`media: { s3: { ${complete} } }`).media.storage).toBe('local');
  });

  it('is refused without them, and with a prefix that could be anything', () => {
    expect(mistakesOf('media: { storage: s3, s3: { bucket: files, access_key_id: id } }')).toEqual([
      'config.yaml:1: media.s3: needs bucket, access_key_id and secret_access_key',
    ]);
    for (const prefix of ['/a', 'a//b', 'a/../b', 'ä', '..'])
      expect(mistakesOf(`media: { s3: { prefix: "${prefix}" } }`)[0]).toContain('media.s3.prefix: must be a prefix');
  });
});

describe('secrets', () => {
  it('come from the file, from another file, or from the environment', () => {
    write('secret', 'from a file\n');
    const secretOf = (yaml: string, environment: Record<string, string> = {}) =>
      load(yaml, environment).registration.sharedSecret?.reveal();
    expect(secretOf('registration: { shared_secret: written }')).toBe('written');
    expect(secretOf('registration: { shared_secret_file: secret }')).toBe('from a file');
    expect(secretOf('registration: { shared_secret: written }', { VECHE_REGISTRATION__SHARED_SECRET: '12345' })).toBe(
      '12345',
    );
    const inEnvironment = { VECHE_REGISTRATION__SHARED_SECRET_FILE: join(folder, 'secret') };
    expect(secretOf('registration: { shared_secret: written }', inEnvironment)).toBe('from a file');
    expect(secretOf('registration: { shared_secret_file: absent }', { VECHE_REGISTRATION__SHARED_SECRET: 'env' })).toBe(
      'env',
    );
    write('url', 'postgres://u:p@localhost/db');
    expect(load('database: { engine: postgres, url_file: ./url }').database.url?.reveal()).toBe(
      'postgres://u:p@localhost/db',
    );
  });

  it('are a mistake when given twice, and when the file cannot be read or is empty', () => {
    write('empty', '\n');
    expect(mistakesOf('registration:\n  shared_secret: a\n  shared_secret_file: secret')).toEqual([
      'config.yaml:3: registration.shared_secret_file: shared_secret and shared_secret_file cannot both be given',
    ]);
    expect(mistakesOf('registration: { shared_secret_file: absent }')).toEqual([
      `config.yaml:1: registration.shared_secret_file: the file ${folder}/absent cannot be read (ENOENT)`,
    ]);
    expect(mistakesOf('registration: { shared_secret_file: empty }')[0]).toContain('must be text');
  });

  it('are shown nowhere', () => {
    const config = load(
      'database: { engine: postgres, url: "postgres://u:hunter2@h/db" }\nregistration: { shared_secret: hunter2 }',
    );
    const shown = [
      JSON.stringify(config),
      inspect(config, { depth: 9, showHidden: true }),
      `${config.registration.sharedSecret}`,
    ];
    for (const text of shown) {
      expect(text).not.toContain('hunter2');
      expect(text).toContain('[secret]');
    }
    expect(mistakesOf('database: { engine: postgres, url: "mysql://hunter2" }').join()).not.toContain('hunter2');
  });
});

describe('a scanner of files', () => {
  it('is off by default, and is named by a socket or an address', () => {
    expect(load('').media.scanner).toMatchObject({ clamd: undefined, largerFiles: 'refuse', unanswered: 'refuse' });
    const addresses = { '/run/clamav/clamd.ctl': { path: '/run/clamav/clamd.ctl' } };
    const others = {
      'localhost:3310': { host: 'localhost', port: 3310 },
      '10.0.0.1:3310': { host: '10.0.0.1', port: 3310 },
      '[::1]:3310': { host: '::1', port: 3310 },
    };
    for (const [text, address] of Object.entries({ ...addresses, ...others }))
      expect(load(`media: { scanner: { clamd: "${text}" } }`).media.scanner.clamd).toEqual(address);
  });

  it('is refused where it could be anything', () => {
    for (const text of [
      '',
      'clamd.ctl',
      'localhost',
      'localhost:',
      ':3310',
      'localhost:0',
      'localhost:65536',
      '::1:3310',
    ])
      expect(mistakesOf(`media: { scanner: { clamd: "${text}" } }`)[0], text).toContain(
        'media.scanner.clamd: must be the path of a socket',
      );
  });
});
