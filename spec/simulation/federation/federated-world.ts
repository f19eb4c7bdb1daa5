/** Whole servers in one process that talk to each other over a lossy network, all on one fake clock. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/matrix/json/json-value.ts';
import { limits } from '../../../src/platform/limits.ts';
import { loadConfig } from '../../../src/platform/config/config.ts';
import type { Ports, TimerHandle, Timers } from '../../../src/platform/ports.ts';
import { createServer, type Server } from '../../../src/server.ts';
import { streamingHttp } from '../../support/streaming-http.ts';
import { seededRandom, type TestPorts, testPorts } from '../../support/test-ports.ts';
import { configText } from '../world.ts';
import { DirectListener } from './direct-listener.ts';
import { LossyNetwork } from './lossy-network.ts';

export interface Person {
  readonly userId: string;
  readonly token: string;
}
export interface Answer {
  /** 0: there was none, because the server ended. */
  readonly status: number;
  /** {} when it is no object. */
  readonly json: JsonObject;
  /** [] when it is no list. */
  readonly list: readonly JsonValue[];
}
interface ClientRequest {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** From /_matrix/client on. */
  readonly path: string;
  readonly body?: JsonObject;
}

/** Servers as they are before anything happens: each with its people. Made once, copied for each world. */
export interface Template {
  readonly folder: string;
  readonly people: ReadonlyMap<string, readonly Person[]>;
}

export async function makeTemplate(names: readonly string[], peopleEach: number): Promise<Template> {
  const folder = mkdtempSync(join(tmpdir(), 'veche-simulation-template-'));
  const ports = testPorts('template');
  const people = new Map<string, readonly Person[]>();
  for (const name of names) {
    const network = new LossyNetwork(ports, seededRandom('template'), () => undefined);
    const server = new Homeserver({ name, folder, people: [], ports, network, seed: 'template' });
    await server.start();
    const registered: Person[] = [];
    for (let index = 0; index < peopleEach; index++) {
      const body = { auth: { type: 'm.login.dummy' }, username: `p${index}`, password: 'correct horse battery staple' };
      const { json } = await server.register(body);
      registered.push({ userId: String(json['user_id']), token: String(json['access_token']) });
    }
    await server.stop();
    people.set(name, registered);
  }
  return { folder, people };
}

export class FederatedWorld {
  readonly ports: TestPorts;
  readonly network: LossyNetwork;
  readonly servers: readonly Homeserver[];
  readonly #folder: string;

  constructor(seed: number | string, { folder, people }: Template, log: (line: string) => void) {
    this.ports = testPorts(seed);
    const startMs = this.ports.clock.nowMs();
    const timed = (line: string): void => log(`${((this.ports.clock.nowMs() - startMs) / 1_000).toFixed(3)} ${line}`);
    this.network = new LossyNetwork(this.ports, seededRandom(`${seed} network`), timed);
    this.#folder = mkdtempSync(join(tmpdir(), 'veche-simulation-'));
    cpSync(folder, this.#folder, { recursive: true });
    const { ports, network } = this;
    this.servers = Array.from(
      people,
      ([name, ofServer]) => new Homeserver({ name, folder: this.#folder, people: ofServer, ports, network, seed }),
    );
  }

  async start(): Promise<void> {
    for (const server of this.servers) await server.start();
  }

  async close(): Promise<void> {
    for (const server of this.servers) await server.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

export interface HomeserverParts {
  readonly name: string;
  /** Its own is in it. */
  readonly folder: string;
  readonly people: readonly Person[];
  readonly ports: TestPorts;
  readonly network: LossyNetwork;
  readonly seed: number | string;
}

/** One server through all its lives. */
export class Homeserver {
  readonly name: string;
  readonly people: readonly Person[];
  readonly #parts: HomeserverParts;
  /** How often it was started. */
  #life = 0;
  #dataFolder: string;
  #running: { readonly server: Server; readonly listener: DirectListener; readonly life: Life } | undefined;

  constructor(parts: HomeserverParts) {
    this.name = parts.name;
    this.people = parts.people;
    this.#parts = parts;
    this.#dataFolder = join(parts.folder, parts.name);
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }
  get databasePath(): string {
    return join(this.#dataFolder, 'veche.db');
  }

  async start(): Promise<void> {
    const { name, network } = this.#parts;
    const listener = new DirectListener();
    const life = new Life();
    this.#life += 1;
    mkdirSync(this.#dataFolder, { recursive: true });
    const configFile = join(this.#dataFolder, 'config.yaml');
    writeFileSync(configFile, configText(name, this.#dataFolder, 'search: { enabled: false }'));
    const ports = this.#portsOf(life);
    const starting = createServer(loadConfig(configFile, {}), {
      ports,
      isDurable: false,
      startListeners: listener.start,
    });
    const server = await this.#untilDone(starting);
    this.#running = { server, listener, life };
    network.connect(name, async (request) => {
      const response = await listener.handle(request);
      if (!life.isAlive) throw new Error(`${name} has ended`);
      return response;
    });
  }

  /** A clean end. Does nothing when it does not run. Throws when it could not do all it should. */
  async stop(): Promise<void> {
    if (this.#running === undefined) return;
    const { server, life } = this.#running;
    this.#running = undefined;
    this.#parts.network.disconnect(this.name);
    const closing = server.close();
    await this.#parts.ports.advance(limits.shutdownMs);
    const steps = await this.#untilDone(closing);
    life.end();
    const failed = steps.find((step) => step.outcome !== 'done');
    if (failed !== undefined) throw new Error(`${this.name}: ${failed.name} did not end well`, { cause: failed.error });
  }

  /** It ends in the middle of what it does, and leaves what is on disk at this moment. */
  kill(): void {
    if (this.#running === undefined) return;
    this.#running.life.end();
    this.#running = undefined;
    this.#parts.network.disconnect(this.name);
    const left = `${this.#dataFolder}-after-${this.#life}`;
    cpSync(this.#dataFolder, left, { recursive: true, filter: (path) => !/\.(lock|db-shm)$/.test(path) });
    this.#dataFolder = left;
  }

  /** The answer, when there is one: time passes only where somebody lets it. */
  async ask(request: ClientRequest, person?: Person): Promise<Answer> {
    const running = this.#running;
    if (running === undefined) return noAnswer;
    const { listener, life } = running;
    const answered = listener.handle({
      method: request.method,
      uri: request.path,
      headers: {
        host: this.name,
        ...(person === undefined ? {} : { authorization: `Bearer ${person.token}` }),
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: request.body === undefined ? undefined : JSON.stringify(request.body),
    });
    const response = await Promise.race([answered, life.ended]);
    if (response === undefined) return noAnswer;
    const value = JSON.parse(response.body.toString()) as JsonValue;
    return { status: response.status, json: isJsonObject(value) ? value : {}, list: Array.isArray(value) ? value : [] };
  }

  /** Its password is hashed by another thread. */
  register(body: JsonObject): Promise<Answer> {
    return this.#untilDone(this.ask({ method: 'POST', path: '/_matrix/client/v3/register', body }));
  }

  /** As `ask`, and lets time pass until there is an answer. */
  request(request: ClientRequest, person?: Person): Promise<Answer> {
    return elapse(this.#parts.ports, this.ask(request, person));
  }

  /** While no time passes, for what waits for the disk. */
  async #untilDone<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = (): void => void (isSettled = true);
    promise.then(settle, settle);
    await this.#parts.ports.until(() => isSettled);
    return promise;
  }

  #portsOf(life: Life): Ports {
    const { ports, name, seed, network } = this.#parts;
    return {
      ...ports,
      random: seededRandom(`${seed} ${name} ${this.#life}`),
      timers: life.timers(ports.timers),
      http: streamingHttp(network.httpOf(name, () => life.isAlive)),
    };
  }
}

/** From a start to an end, after which nothing happens any more. */
class Life {
  isAlive = true;
  readonly ended: Promise<undefined>;
  readonly #end: (value: undefined) => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.ended = promise;
    this.#end = resolve;
  }

  end(): void {
    this.isAlive = false;
    this.#end(undefined);
  }

  timers(timers: Timers): Timers {
    const alive = (run: () => void) => () => {
      if (this.isAlive) run();
    };
    return {
      after: (delayMs, run): TimerHandle => timers.after(delayMs, alive(run)),
      soon: (run) => timers.soon(alive(run)),
      sleep: (delayMs) => new Promise((resolve) => void timers.after(delayMs, alive(resolve))),
    };
  }
}

/** Lets time pass until the promise is settled. Throws when that takes longer than an hour. */
export async function elapse<T>(ports: TestPorts, promise: Promise<T>): Promise<T> {
  const state = { isSettled: false };
  const settle = (): void => void (state.isSettled = true);
  promise.then(settle, settle);
  await ports.settle();
  for (let turn = 0; !state.isSettled; turn++) {
    if (turn === turnsMax) throw new Error('it does not come to an end within an hour');
    await ports.advance(turnMs);
  }
  return promise;
}
const turnMs = 50;
const turnsMax = 72_000;

const noAnswer: Answer = { status: 0, json: {}, list: [] };
