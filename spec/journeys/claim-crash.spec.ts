/**
 * The server is killed again and again while one-time keys are uploaded and claimed: no key is given out twice, and none is
 * lost but those whose claim was never answered.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { onPostgres, onSqlite, type TestEngine } from '../support/databases.ts';
import { ServerProcess } from '../support/server-process.ts';
import { Link, Lost } from './support/load.ts';

const claimers = 6;
/** Ends a test that has failed. */
const patienceMs = 240_000;
const v3 = '/_matrix/client/v3';

let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

onSqlite('one-time keys while the server is killed (SQLite)', (engine) => {
  it('are given out once, over four crashes', () => survive(engine, 4), patienceMs);
});
onPostgres('one-time keys while the server is killed (PostgreSQL)', (engine) => {
  it('are given out once, over two crashes', () => survive(engine, 2), patienceMs);
});

async function survive(engine: TestEngine, crashes: number): Promise<void> {
  const options = engine.name === 'postgres' ? await engine.freshOptions() : undefined;
  server = await ServerProcess.start({
    environment: options?.engine === 'postgres' ? { DATABASE_URL: options.url } : {},
  });
  const link = new Link(server);
  const [owner, other] = [await register(link, 'owner'), await register(link, 'other')];
  const traffic = new KeyTraffic(link, owner, other);
  const running = traffic.run();
  const crashing = (async () => {
    for (let crash = 0; crash < crashes; crash++) {
      await traffic.moreClaims(20 + Math.floor(Math.random() * 60));
      await delay(Math.random() * 10);
      link.holdBack();
      await server.kill();
      await server.start();
      link.letPass();
    }
    await traffic.moreClaims(30);
    traffic.stop();
  })();
  await Promise.race([running, crashing]);
  await Promise.all([running, crashing]);

  await traffic.claimTheRest();
  const { claimed, uploaded, unanswered } = traffic;
  expect(claimed.filter((name, index) => claimed.indexOf(name) !== index)).toEqual([]);
  const missing = [...uploaded].filter((name) => !claimed.includes(name));
  expect(missing.length).toBeLessThanOrEqual(unanswered);
  expect(claimed.length).toBeGreaterThan(20 * crashes);
}

interface Session {
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;
}

async function register(link: Link, username: string): Promise<Session> {
  const body = { username, password: 'x', auth: { type: 'm.login.dummy' } };
  const { json } = await link.request('POST', `${v3}/register`, '', body);
  return {
    userId: String(json['user_id']),
    deviceId: String(json['device_id']),
    token: String(json['access_token']),
  };
}

/** One device that uploads keys and several requests at once that claim them. */
class KeyTraffic {
  /** Names of the keys of answered uploads, and of answered claims. */
  readonly uploaded = new Set<string>();
  readonly claimed: string[] = [];
  /** Claims whose answer never came. */
  unanswered = 0;
  readonly #link: Link;
  readonly #owner: Session;
  readonly #other: Session;
  #serial = 0;
  #isStopping = false;

  constructor(link: Link, owner: Session, other: Session) {
    this.#link = link;
    this.#owner = owner;
    this.#other = other;
  }

  async run(): Promise<void> {
    const deviceKeys = {
      user_id: this.#owner.userId,
      device_id: this.#owner.deviceId,
      algorithms: [],
      keys: {},
      signatures: {},
    };
    await this.#upload({ device_keys: deviceKeys });
    await Promise.all([this.#refill(), ...Array.from({ length: claimers }, () => this.#claimOn())]);
  }

  stop(): void {
    this.#isStopping = true;
  }

  async moreClaims(count: number): Promise<void> {
    const wanted = this.claimed.length + count;
    while (this.claimed.length < wanted) await delay(2);
  }

  async claimTheRest(): Promise<void> {
    while ((await this.#claim()) !== undefined);
  }

  async #refill(): Promise<void> {
    while (!this.#isStopping) {
      const names = Array.from({ length: 10 }, () => `signed_curve25519:${++this.#serial}`);
      const keys = Object.fromEntries(names.map((name) => [name, { key: name }]));
      await this.#upload({ one_time_keys: keys });
      for (const name of names) this.uploaded.add(name);
      // A device fills up when there is room, as clients do.
      while (this.uploaded.size - this.claimed.length > 100 && !this.#isStopping) await delay(2);
    }
  }

  #upload(body: JsonObject): Promise<unknown> {
    return this.#link.insist('POST', `${v3}/keys/upload`, this.#owner.token, body);
  }

  async #claimOn(): Promise<void> {
    while (!this.#isStopping)
      try {
        await this.#claim();
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        this.unanswered++;
        await this.#link.insist('GET', `${v3}/account/whoami`, this.#other.token);
      }
  }

  async #claim(): Promise<string | undefined> {
    const { userId, deviceId } = this.#owner;
    const wanted = { one_time_keys: { [userId]: { [deviceId]: 'signed_curve25519' } } };
    const { text } = await this.#link.request('POST', `${v3}/keys/claim`, this.#other.token, wanted);
    const { one_time_keys: keys } = JSON.parse(text) as ClaimAnswer;
    const [name] = Object.keys(keys[userId]?.[deviceId] ?? {});
    if (name !== undefined) this.claimed.push(name);
    return name;
  }
}

interface ClaimAnswer {
  readonly one_time_keys: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
}
