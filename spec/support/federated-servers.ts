/** Whole servers in one process that reach each other by name. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach } from 'vitest';
import { outgoingPolicies } from '../../src/platform/outgoing-policies.ts';
import { systemPorts } from '../../src/platform/system-ports.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import type { TestEngine } from './databases.ts';
import { FederatedNetwork, type PassedRequest, type PeerAnswer, type TestPeer } from './federated-network.ts';
import { LeapingTime } from './leaping-time.ts';
import { type LoopbackServer, startLoopbackServer } from './loopback-server.ts';
import { TestClient } from './test-client.ts';

export interface FederatedServersOptions {
  /** Further sections of every server's configuration, as for a LoopbackServer. */
  readonly config?: Readonly<Record<string, string>>;
  /** The same for single servers, by name. */
  readonly configOf?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Data is on disk, so that servers can be restarted. PostgreSQL always can. */
  readonly isOnDisk?: boolean;
  /** Absent: SQLite. */
  readonly engine?: TestEngine;
}

export interface FederatedServers {
  /** Throws for a name that is none of theirs, and for a server that is stopped. */
  get(name: string): LoopbackServer;
  /** A new user of the server, logged in; good also after a restart. */
  register(name: string, localpart: string): Promise<TestClient>;
  /** No request passes between the two any more, in either direction. */
  cut(one: string, other: string): void;
  mend(one: string, other: string): void;
  /** For all of them it is so much later; what they were waiting to do until then, they do now. */
  leap(ms: number): void;
  stop(name: string): Promise<void>;
  /** With the same data at the same address. Stops it first if it runs. */
  restart(name: string): Promise<void>;
  /** The same without the writing of its end: what is committed at the moment of the call is all that it finds. On SQLite only. */
  crash(name: string): Promise<void>;
  /** A server that the test plays. */
  addPeer(name: string, answer?: PeerAnswer): TestPeer;
  /** Every request between servers so far, oldest first. */
  readonly passed: readonly PassedRequest[];
  readonly network: FederatedNetwork;
  close(): Promise<void>;
}

/** Names such as one.test, without ports. */
export async function startFederatedServers(
  names: readonly string[],
  options: FederatedServersOptions = {},
): Promise<FederatedServers> {
  const network = new FederatedNetwork();
  const time = new LeapingTime();
  const servers = new Map<string, FederatedServer>();
  for (const name of names) {
    const server = new FederatedServer(name, network, time, options);
    servers.set(name, server);
    await server.start();
  }
  const of = (name: string): FederatedServer => {
    const server = servers.get(name);
    if (server === undefined) throw new Error(`there is no server ${name}`);
    return server;
  };
  return {
    network,
    passed: network.passed,
    get: (name) => of(name).running(),
    register: (name, localpart) => TestClient.register(of(name).running(), localpart),
    cut: (one, other) => network.cut(one, other),
    mend: (one, other) => network.mend(one, other),
    leap: (ms) => time.leap(ms),
    stop: (name) => of(name).stop(),
    async restart(name) {
      await of(name).stop();
      await of(name).start();
    },
    async crash(name) {
      const goBack = of(name).remember();
      await of(name).stop();
      goBack();
      await of(name).start();
    },
    addPeer: (name, answer) => network.addPeer(name, answer),
    async close() {
      await Promise.all([...servers.values()].map((server) => server.close()));
      network.close();
    },
  };
}

/** Those that run during each test of the file or block, anew. */
export function useFederatedServers(names: readonly string[], options: FederatedServersOptions = {}): FederatedServers {
  let servers: FederatedServers | undefined;
  beforeEach(async () => {
    servers = await startFederatedServers(names, options);
  });
  afterEach(async () => {
    await servers?.close();
    servers = undefined;
  });
  const now = (): FederatedServers => {
    if (servers === undefined) throw new Error('the servers run during tests only');
    return servers;
  };
  return {
    get: (name) => now().get(name),
    register: (name, localpart) => now().register(name, localpart),
    cut: (one, other) => now().cut(one, other),
    mend: (one, other) => now().mend(one, other),
    leap: (ms) => now().leap(ms),
    stop: (name) => now().stop(name),
    restart: (name) => now().restart(name),
    crash: (name) => now().crash(name),
    addPeer: (name, answer) => now().addPeer(name, answer),
    close: () => now().close(),
    get passed() {
      return now().passed;
    },
    get network() {
      return now().network;
    },
  };
}

class FederatedServer {
  readonly #name: string;
  readonly #network: FederatedNetwork;
  readonly #time: LeapingTime;
  readonly #options: FederatedServersOptions;
  readonly #folder: string | undefined;
  #postgresUrl: string | undefined;
  #port = 0;
  #running: LoopbackServer | undefined;

  constructor(name: string, network: FederatedNetwork, time: LeapingTime, options: FederatedServersOptions) {
    this.#name = name;
    this.#network = network;
    this.#time = time;
    this.#options = options;
    const isKept = options.isOnDisk === true || options.engine?.name === 'postgres';
    this.#folder = isKept ? mkdtempSync(join(tmpdir(), 'veche-federated-')) : undefined;
  }

  running(): LoopbackServer {
    if (this.#running === undefined) throw new Error(`${this.#name} is stopped`);
    return this.#running;
  }

  async start(): Promise<void> {
    const { engine, config, configOf } = this.#options;
    if (engine?.name === 'postgres' && this.#postgresUrl === undefined) {
      const database = await engine.freshOptions();
      if (database.engine === 'postgres') this.#postgresUrl = database.url;
    }
    const name = this.#name;
    const system = systemPorts({ outgoing: outgoingPolicies(loadConfig(undefined, {})) });
    const ports = {
      ...system,
      clock: this.#time,
      timers: this.#time,
      http: this.#network.httpOf(name),
      dns: { lookup: system.dns.lookup.bind(system.dns), srv: () => Promise.resolve([]) },
    };
    this.#running = await startLoopbackServer({
      ports,
      ...(this.#folder === undefined ? {} : { folder: this.#folder }),
      ...(this.#postgresUrl === undefined ? {} : { postgresUrl: this.#postgresUrl }),
      config: {
        server_name: name,
        listeners: `[{ bind: 127.0.0.1, port: ${this.#port}, serve: [client, media, federation, admin] }]`,
        ...config,
        ...configOf?.[name],
      },
    });
    this.#port = Number(new URL(this.#running.url).port);
    this.#network.connect(name, this.#running.url);
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    if (this.#folder === undefined) throw new Error(`the data of ${this.#name} would go with it: isOnDisk`);
    this.#running = undefined;
    this.#network.disconnect(this.#name);
    await running.close();
  }

  /** What it returns puts the database back to what it is now, while the server is stopped. */
  remember(): () => void {
    if (this.#folder === undefined || this.#postgresUrl !== undefined) throw new Error('only of SQLite on disk');
    const path = join(this.#folder, 'data', 'veche.db');
    const database = new Sqlite(path, { readonly: true });
    const committed = database.serialize();
    database.close();
    return () => {
      for (const side of ['-wal', '-shm']) rmSync(path + side, { force: true });
      writeFileSync(path, committed);
    };
  }

  async close(): Promise<void> {
    this.#network.disconnect(this.#name);
    await this.#running?.close();
    this.#running = undefined;
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}
