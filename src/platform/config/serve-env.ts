import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isLoopbackAddress, loopbackRanges } from '../address-ranges.ts';
import { type Config, readConfig } from './config.ts';
import { servedParts } from './definition.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { type Located, locate, overlay, type Raw, type Source } from './located.ts';
import { ConfigError, type Mistake } from './mistakes.ts';

/**
 * The configuration of `npm run serve-env`, for test suites and benchmarks: SERVER_NAME, BIND_ADDRESS, CLIENT_PORT, FEDERATION_PORT,
 * PUBLIC_BASEURL, DATA_DIR, TLS_CERT, TLS_KEY, CA_CERT or TLS_CA, REGISTRATION_SHARED_SECRET, APPSERVICE_DIR, HASH_COST (low or
 * default), MAX_UPLOAD, DATABASE_URL. What is absent or empty has a default. Registration is open, nothing is rate limited, peers on the
 * loopback device are allowed, rooms are not encrypted by default, and legacy media needs no token; everything else is as in production.
 * VECHE_ variables may change the rest. Such a server must not be reachable from outside: every listener is on a loopback address.
 * Throws ConfigError with every mistake.
 */
export function configFromServeEnv(environment: Environment = process.env): Config {
  const env = new ServeEnv(environment);
  const veche = readEnvironment(environment);
  const config = readConfig(overlay(env.located(), veche.value), [...env.mistakes, ...veche.mistakes]);
  const outside = config.listeners.filter(({ bind }) => !isLoopbackAddress(bind));
  if (outside.length === 0) return config;
  const source = sourceOf(environment['VECHE_LISTENERS'] === undefined ? 'BIND_ADDRESS' : 'VECHE_LISTENERS');
  throw new ConfigError(
    outside.map(({ bind }) => ({
      source,
      key: '',
      message: `${bind} is not a loopback address; serve-env serves this machine only`,
    })),
  );
}

/** Collects what the variables say as parts of a configuration, each with its variable as the source. */
class ServeEnv {
  readonly mistakes: Mistake[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  located(): Located {
    return [
      this.#fixed(),
      this.#listeners(),
      ...this.#single(),
      this.#baseUrl(),
      this.#hashCost(),
      this.#registrations(),
    ]
      .filter((part) => part !== undefined)
      .reduce(overlay);
  }

  #fixed(): Located {
    return locate(
      {
        registration: { enabled: true },
        password: { minimum_length: 1 },
        rate_limits: { enabled: false },
        media: { allow_unauthenticated: true },
        federation: { allow_private_addresses: loopbackRanges, device_names: true },
        outgoing: { allow_private_addresses: loopbackRanges },
        rooms: { encrypt_by_default: 'off' },
      },
      sourceOf('serve-env'),
    );
  }

  /** Everything on CLIENT_PORT, as behind a proxy; federation also where there is a certificate for it. */
  #listeners(): Located {
    const certificate = this.#text('TLS_CERT');
    const privateKey = this.#text('TLS_KEY');
    const client = listenerAt(this.#bind(), this.#port('CLIENT_PORT', 8008), [
      ['serve', locate([...servedParts], sourceOf('serve-env'))],
    ]);
    const items = [client];
    if (certificate !== undefined) {
      if (privateKey === undefined) this.#mistake('TLS_KEY', 'is needed beside TLS_CERT');
      const tls = map([
        ['certificate', locate(certificate, sourceOf('TLS_CERT'))],
        ['private_key', locate(privateKey ?? certificate, sourceOf('TLS_KEY'))],
      ]);
      const serve = locate(['federation'], sourceOf('serve-env'));
      items.push(
        listenerAt(this.#bind(), this.#port('FEDERATION_PORT', 8448), [
          ['serve', serve],
          ['tls', tls],
        ]),
      );
    }
    return map([['listeners', { kind: 'list', source: sourceOf('serve-env'), items }]]);
  }

  #single(): (Located | undefined)[] {
    const upload = this.#number('MAX_UPLOAD');
    const caName = this.#text('CA_CERT') === undefined ? 'TLS_CA' : 'CA_CERT';
    return [
      this.#part('SERVER_NAME', (text) => ({ server_name: text })),
      this.#part('DATA_DIR', (text) => ({ data_dir: text })),
      this.#part('REGISTRATION_SHARED_SECRET', (text) => ({ registration: { shared_secret: text } })),
      this.#part('DATABASE_URL', (url) => ({ database: { engine: 'postgres', url } })),
      upload === undefined ? undefined : locate({ media: { upload_bytes_max: upload } }, sourceOf('MAX_UPLOAD')),
      this.#part(caName, (ca) => ({ federation: { ca_certificates: [ca] } })),
    ];
  }

  #baseUrl(): Located {
    const given = this.#text('PUBLIC_BASEURL');
    const bind = this.#text('BIND_ADDRESS') ?? '127.0.0.1';
    const host = bind.includes(':') ? `[${bind}]` : bind;
    return locate(
      { public_base_url: given ?? `http://${host}:${this.#text('CLIENT_PORT') ?? 8008}` },
      sourceOf('PUBLIC_BASEURL'),
    );
  }

  #hashCost(): Located | undefined {
    const cost = this.#text('HASH_COST') ?? 'default';
    if (cost === 'low') return locate({ password: { argon2: { memory_kib: 8, passes: 1 } } }, sourceOf('HASH_COST'));
    if (cost !== 'default') this.#mistake('HASH_COST', 'must be low or default');
    return undefined;
  }

  /** Every *.yaml file of APPSERVICE_DIR, by name. */
  #registrations(): Located | undefined {
    const folder = this.#text('APPSERVICE_DIR');
    if (folder === undefined) return undefined;
    try {
      const files = readdirSync(folder)
        .filter((name) => /\.ya?ml$/.test(name))
        .toSorted();
      return locate(
        { application_services: files.map((name) => join(resolve(folder), name)) },
        sourceOf('APPSERVICE_DIR'),
      );
    } catch (error) {
      this.#mistake('APPSERVICE_DIR', `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  #bind(): Located {
    return locate(this.#text('BIND_ADDRESS') ?? '127.0.0.1', sourceOf('BIND_ADDRESS'));
  }

  #port(name: string, fallback: number): Located {
    return locate(this.#number(name) ?? fallback, sourceOf(name));
  }

  #number(name: string): number | undefined {
    const text = this.#text(name);
    if (text === undefined) return undefined;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    this.#mistake(name, 'must be a whole number');
    return undefined;
  }

  #text(name: string): string | undefined {
    const text = this.#environment[name];
    return text === '' ? undefined : text;
  }

  #part(name: string, shape: (text: string) => Raw): Located | undefined {
    const text = this.#text(name);
    return text === undefined ? undefined : locate(shape(text), sourceOf(name));
  }

  #mistake(name: string, message: string): void {
    this.mistakes.push({ source: sourceOf(name), key: '', message });
  }
}

const sourceOf = (name: string): Source => ({ name, folder: process.cwd() });

function listenerAt(bind: Located, port: Located, more: readonly (readonly [string, Located])[]): Located {
  return map([['bind', bind], ['port', port], ...more]);
}

function map(entries: readonly (readonly [string, Located])[]): Located {
  return {
    kind: 'map',
    source: sourceOf('serve-env'),
    entries: entries.map(([key, value]) => ({ key, source: value.source, value })),
  };
}
