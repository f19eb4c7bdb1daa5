/**
 * Whole servers in one process, on one clock that only the test moves: the same seed and the same steps give the same
 * databases, byte for byte. Requests come through the listeners; one at a time, because in which order the system delivers
 * several is not ours to say.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../src/platform/config/config.ts';
import type { Ports } from '../../src/platform/ports.ts';
import { createServer, type Server, type ServerOverrides } from '../../src/server.ts';
import { seededRandom, type TestPorts, testPorts } from '../support/test-ports.ts';
import { requestJson, type TestRequest, type TestResponse } from '../support/test-server.ts';

export interface WorldOptions {
  readonly seed: number | string;
  /** Empty, or as an earlier world of the same server names left it. Each server has a folder of its own in it. */
  readonly folder: string;
  readonly serverNames: readonly string[];
  /** Instead of a network that leads nowhere. */
  readonly network?: (serverName: string) => Partial<Pick<Ports, 'dns' | 'http'>>;
  readonly overrides?: Omit<ServerOverrides, 'ports' | 'sqlitePath'>;
}

export interface SimulatedServer {
  readonly name: string;
  readonly databasePath: string;
  /** The running one; another one after `restart`. */
  readonly server: Server;
  /** Sends a request, and lets everything happen that follows from it before any time passes. */
  request(method: string, path: string, request?: TestRequest): Promise<TestResponse>;
  /** Sends a request that may wait for news. Resolves when it waits, or is answered already. */
  park(path: string, request: TestRequest): Promise<Parked>;
  /** A clean end, and a start on what is on disk. */
  restart(): Promise<void>;
}

export interface Parked {
  readonly answer: Promise<TestResponse>;
}

export interface World {
  readonly servers: readonly SimulatedServer[];
  /** `advance` moves the time of all servers. */
  readonly ports: TestPorts;
  /**
   * Ends all servers cleanly: then their databases are complete files. Throws when a server could not do all it should. Safe to
   * repeat.
   */
  close(): Promise<void>;
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const ports = testPorts(options.seed);
  const running = options.serverNames.map((name) => new Running(name, options, ports));
  for (const server of running) await server.start();
  return {
    servers: running,
    ports,
    async close() {
      for (const server of running) await server.stop();
    },
  };
}

class Running implements SimulatedServer {
  readonly name: string;
  readonly databasePath: string;
  readonly #ports: TestPorts;
  readonly #overrides: ServerOverrides;
  readonly #configFile: string;
  #server: Server | undefined;

  constructor(name: string, { folder, seed, network, overrides }: WorldOptions, ports: TestPorts) {
    this.name = name;
    const dataDir = join(folder, name);
    this.databasePath = join(dataDir, 'veche.db');
    this.#configFile = join(dataDir, 'config.yaml');
    this.#ports = ports;
    this.#overrides = {
      ...overrides,
      ports: { ...ports, random: seededRandom(`${seed} ${name}`), ...network?.(name) },
    };
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(this.#configFile, configText(name, dataDir));
  }

  get server(): Server {
    if (this.#server === undefined) throw new Error(`${this.name} does not run`);
    return this.#server;
  }

  async start(): Promise<void> {
    this.#server = await createServer(loadConfig(this.#configFile, {}), this.#overrides);
    await this.#ports.settle();
  }

  /** Does nothing when it does not run. */
  async stop(): Promise<void> {
    if (this.#server === undefined) return;
    const steps = await this.#server.close();
    this.#server = undefined;
    const failed = steps.find((step) => step.outcome !== 'done');
    if (failed !== undefined) throw new Error(`${this.name}: ${failed.name} did not end well`, { cause: failed.error });
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async request(method: string, path: string, request?: TestRequest): Promise<TestResponse> {
    const response = await requestJson(this.#url, method, path, request);
    await this.#ports.settle();
    return response;
  }

  async park(path: string, request: TestRequest): Promise<Parked> {
    const timersBefore = this.#ports.timerCount;
    let isAnswered = false;
    const answer = requestJson(this.#url, 'GET', path, request).finally(() => (isAnswered = true));
    await this.#ports.until(() => isAnswered || this.#ports.timerCount > timersBefore);
    await this.#ports.settle();
    return { answer };
  }

  get #url(): string {
    return `http://127.0.0.1:${this.server.addresses[0]?.port}`;
  }
}

/** `more`: further lines. */
export const configText = (serverName: string, dataDir: string, ...more: readonly string[]): string =>
  [
    `server_name: ${serverName}`,
    `data_dir: ${dataDir}`,
    'registration: { enabled: true }',
    'password: { argon2: { memory_kib: 8, passes: 1 } }',
    'rate_limits: { enabled: false }',
    'log: { level: silent }',
    'listeners: [{ bind: 127.0.0.1, port: 0, serve: [client, federation, admin] }]',
    ...more,
  ].join('\n');
