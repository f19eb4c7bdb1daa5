/** A complete server on a free port of the loopback address, with its database in memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { loadConfig } from '../../src/platform/config/config.ts';
import { systemDns } from '../../src/platform/dns.ts';
import { outgoingPolicies } from '../../src/platform/outgoing-policies.ts';
import type { Dns, Ports } from '../../src/platform/ports.ts';
import { smtpSettings } from '../../src/platform/smtp-settings.ts';
import { systemPorts } from '../../src/platform/system-ports.ts';
import { createServer, type Server } from '../../src/server.ts';
import { migratedImage } from './migrated-image.ts';

export interface LoopbackServer {
  readonly server: Server;
  readonly url: string;
  readonly dataFolder: string;
  /** Writes its configuration file anew, with these sections in place of its own; nobody reads it yet. */
  writeConfig(sections: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

export interface LoopbackOptions {
  /** Further sections of the configuration as YAML, by their names; they replace those that are here by themselves. */
  readonly config?: Readonly<Record<string, string>>;
  /** Absent: SQLite in memory. */
  readonly postgresUrl?: string;
  /** Absent: the real ones, but no name leads off this machine. */
  readonly ports?: Ports;
  /** Where its data is and stays, so that it can be started again. Absent: a new folder that goes with it, and SQLite in memory. */
  readonly folder?: string;
}

/** Registration is open, passwords are hashed cheaply, and nothing is limited or logged. */
export async function startLoopbackServer(options: LoopbackOptions = {}): Promise<LoopbackServer> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'veche-loopback-'));
  const configFile = join(folder, 'config.yaml');
  const lines = {
    data_dir: join(folder, 'data'),
    registration: '{ enabled: true }',
    password: '{ argon2: { memory_kib: 8, passes: 1 } }',
    rate_limits: '{ enabled: false }',
    log: '{ level: silent }',
    listeners: '[{ bind: 127.0.0.1, port: 0, serve: [client] }]',
    ...(options.postgresUrl === undefined ? {} : { database: `{ engine: postgres, url: "${options.postgresUrl}" }` }),
    ...options.config,
  };
  const writeConfig = (sections: Readonly<Record<string, string>>): void => {
    const text = Object.entries({ ...lines, ...sections }).map(([key, value]) => `${key}: ${value}`);
    writeFileSync(configFile, text.join('\n'));
  };
  writeConfig({});
  const config = loadConfig(configFile, {});
  const server = await createServer(config, {
    readConfigAgain: () => loadConfig(configFile, {}),
    ...(options.folder === undefined ? { sqlitePath: ':memory:', sqliteImage: await migratedImage() } : {}),
    ports:
      options.ports ?? systemPorts({ outgoing: outgoingPolicies(config), smtp: smtpSettings(config), dns: localDns }),
  });
  return {
    server,
    dataFolder: lines.data_dir,
    writeConfig,
    url: `http://127.0.0.1:${server.addresses[0]?.port}`,
    async close() {
      await server.close();
      if (options.folder === undefined) rmSync(folder, { recursive: true });
    },
  };
}

/** One that runs during each test of the file or block, anew. */
export function useLoopbackServer(options: LoopbackOptions = {}): Omit<LoopbackServer, 'close'> {
  let running: LoopbackServer | undefined;
  beforeEach(async () => {
    running = await startLoopbackServer(options);
  });
  afterEach(() => running?.close());
  const get = (): LoopbackServer => {
    if (running === undefined) throw new Error('the server runs during tests only');
    return running;
  };
  return {
    get server() {
      return get().server;
    },
    get url() {
      return get().url;
    },
    get dataFolder() {
      return get().dataFolder;
    },
    writeConfig: (sections) => get().writeConfig(sections),
  };
}

/** Nobody is asked for other names: whether and when a resolver answers is no matter of a test. */
const localDns: Dns = {
  lookup: (host) =>
    host === 'localhost' || host.endsWith('.localhost')
      ? systemDns().lookup(host)
      : Promise.reject(Object.assign(new Error(`no name ${host} in tests`), { code: 'ENOTFOUND' })),
  srv: () => Promise.resolve([]),
};
