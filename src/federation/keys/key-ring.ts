import type { VerifyKey } from '../../matrix/crypto/ed25519.ts';
import type { FindServerKey } from '../../matrix/crypto/event-signatures.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { isServerName } from '../../matrix/ids/server-name.ts';
import { legacyCanonicalJson } from '../../matrix/json/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import { limits } from '../../platform/limits.ts';
import type { LocalServers } from '../../platform/local-servers.ts';
import { Lru } from '../../platform/lru.ts';
import type { Clock } from '../../platform/ports.ts';
import { Semaphore, SemaphoreFull } from '../../platform/semaphore.ts';
import type { Database } from '../../storage/database.ts';
import { putServerKey, serverKeys } from '../../storage/stores/server-key-store.ts';
import type { KeyRing, WantedKey } from '../contract.ts';
import { FederationError } from '../federation-error.ts';
import { type KeyAnswer, readKeyAnswer, type ServerKey } from './key-answer.ts';
import type { KeyFetcher } from './key-fetcher.ts';
import { isValidAt, KnownKeys, placeOf } from './known-keys.ts';
import { Notaries } from './notaries.ts';
import type { VerifyKeys } from './verify-keys.ts';

/** By server name, then by key id: the public key in Base64. */
export type PinnedKeys = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface KeyRingParts {
  readonly db: Database;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly localServers: LocalServers;
  readonly fetcher: KeyFetcher;
  readonly verifyKeys: VerifyKeys;
  readonly trust: TrustedKeys;
}
/** Whose keys are believed, and whom others' keys are believed from. */
export interface TrustedKeys {
  /** Servers that are asked for the keys of others. */
  readonly trustedKeyServers: readonly ServerName[];
  /** Of these servers no other keys count, and they are asked for none. */
  readonly pinnedKeys: PinnedKeys;
}

/**
 * Keys come from the configuration, from memory, from the database, from their server, and from notaries, in this order. A server is
 * asked by one request however many wait, and after that not again for a while for what it did not have.
 */
export class ServerKeyRing implements KeyRing {
  readonly #parts: KeyRingParts;
  readonly #known = new Lru<string, ServerKey>({ sizeMax: limits.knownServerKeysMax });
  #trust: TrustedKeys;
  #fixed: ReadonlyMap<string, ServerKey>;
  readonly #asking = new Map<ServerName, Promise<void>>();
  readonly #asked = new Lru<ServerName, Asked>({ sizeMax: limits.knownDestinationsMax });
  readonly #fetches = new Semaphore(limits.keyFetchesAtOnceMax, limits.keyFetchesWaitingMax);
  readonly #notaries: Notaries;

  constructor(parts: KeyRingParts) {
    this.#parts = parts;
    this.#trust = parts.trust;
    this.#fixed = fixedKeys(parts, this.#trust);
    this.#notaries = new Notaries({
      ...parts,
      notaries: () => this.#trust.trustedKeyServers,
      findNotaryKey: (notary, keyId) => this.#findNotaryKey(notary, keyId),
      take: (server, answer) => this.#take(server, answer),
    });
  }

  /** From now on these count. */
  replace(trust: TrustedKeys): void {
    this.#fixed = fixedKeys(this.#parts, trust);
    this.#trust = trust;
  }

  /** Our own keys have changed. */
  ownKeysChanged(): void {
    this.replace(this.#trust);
  }

  async find(wanted: readonly WantedKey[]): Promise<FindServerKey> {
    return (await this.load(wanted)).findWanted(wanted);
  }

  /** As `find`, for keys that are wanted for several times. */
  async load(wanted: readonly WantedKey[]): Promise<KnownKeys> {
    const found = new Map<string, ServerKey>();
    let missing = this.#collect(wanted, found);
    if (missing.length > 0) {
      await this.#loadStored(missing);
      missing = this.#collect(missing, found);
    }
    if (missing.length > 0) {
      await this.#ask(missing);
      this.#collect(missing, found);
    }
    return new KnownKeys(found);
  }

  /** Asks the server unless it was asked lately. Never rejects. */
  async ask(server: ServerName): Promise<void> {
    if (this.#mayAsk(server)) await this.#askServer(server, new Map());
  }

  /** Puts what is at hand into `found`; gives what is missing or not valid at the time. */
  #collect(wanted: readonly WantedKey[], found: Map<string, ServerKey>): readonly WantedKey[] {
    return wanted.filter(({ serverName, keyId, validAtTs }) => {
      const place = placeOf(serverName, keyId);
      const key = this.#fixed.get(place) ?? (this.#isFixed(serverName) ? undefined : this.#known.find(place));
      if (key === undefined) return true;
      found.set(place, key);
      return !isValidAt(key, validAtTs);
    });
  }

  async #loadStored(wanted: readonly WantedKey[]): Promise<void> {
    const rows = await this.#parts.db.all(serverKeys, {
      servers: [...new Set(wanted.map(({ serverName }) => serverName))],
      keyIds: [...new Set(wanted.map(({ keyId }) => keyId))],
    });
    for (const { server, key_id: keyId, json, fetched_ts: fetchedTs } of rows) {
      const value = parseJson(json, { numbers: 'exact' });
      const answer = isJsonObject(value) ? readKeyAnswer(value, server as ServerName, fetchedTs) : 'no object';
      if (typeof answer === 'string') continue;
      const key = answer.keys.find((one) => one.keyId === keyId);
      if (key !== undefined) this.#remember(server, key);
    }
  }

  async #ask(missing: readonly WantedKey[]): Promise<void> {
    const nowMs = this.#parts.clock.nowMs();
    const byServer = new Map<ServerName, Map<string, number>>();
    for (const { serverName, keyId, validAtTs } of missing) {
      if (!isServerName(serverName) || this.#isFixed(serverName)) continue;
      const keys = byServer.get(serverName) ?? new Map<string, number>();
      keys.set(keyId, Math.max(keys.get(keyId) ?? 0, validAtTs ?? 0));
      byServer.set(serverName, keys);
    }
    await Promise.all(
      [...byServer].map(async ([server, keys]) => {
        const asking = this.#asking.get(server);
        if (asking !== undefined) await asking;
        else if (this.#mayAsk(server, nowMs)) await this.#askServer(server, keys);
      }),
    );
  }

  #isFixed(server: ServerName): boolean {
    return this.#parts.localServers.isLocal(server) || Object.hasOwn(this.#trust.pinnedKeys, server);
  }

  #mayAsk(server: ServerName, nowMs = this.#parts.clock.nowMs()): boolean {
    if (this.#isFixed(server)) return false;
    return (this.#asked.find(server)?.untilMs ?? 0) <= nowMs;
  }

  #askServer(server: ServerName, keys: ReadonlyMap<string, number>): Promise<void> {
    const asking = this.#asking.get(server) ?? this.#askAll(server, keys).finally(() => this.#asking.delete(server));
    this.#asking.set(server, asking);
    return asking;
  }

  /** The server itself, then the notaries for what it did not have. */
  async #askAll(server: ServerName, keys: ReadonlyMap<string, number>): Promise<void> {
    const times = (this.#asked.find(server)?.times ?? 0) + 1;
    const waitMs = Math.min(limits.keyRetryMsMax, limits.keyRetryMs * 2 ** Math.min(times - 1, 20));
    this.#asked.set(server, { times, untilMs: this.#parts.clock.nowMs() + waitMs });
    await this.#askDirectly(server);
    if (!this.#hasAll(server, keys)) await this.#notaries.ask(server, keys);
    if (this.#hasAll(server, keys)) this.#asked.delete(server);
  }

  #hasAll(server: ServerName, keys: ReadonlyMap<string, number>): boolean {
    if (keys.size === 0) return false;
    return [...keys].every(([keyId, ts]) => {
      const key = this.#known.find(placeOf(server, keyId));
      return key !== undefined && isValidAt(key, ts);
    });
  }

  async #askDirectly(server: ServerName): Promise<void> {
    try {
      const json = await this.#fetches.run(() => this.#parts.fetcher.ownKeys(server));
      await this.#take(server, json);
    } catch (error) {
      if (!(error instanceof FederationError) && !(error instanceof SemaphoreFull)) throw error;
    }
  }

  /** Checks an answer, remembers its keys and writes them down. False: it is none. */
  async #take(server: ServerName, json: JsonObject): Promise<boolean> {
    const fetchedTs = this.#parts.clock.nowMs();
    const answer = readKeyAnswer(json, server, fetchedTs);
    if (typeof answer === 'string') return false;
    // A notary's answer may be older than what is known already.
    const news = answer.keys.filter((key) => {
      const known = this.#known.find(placeOf(server, key.keyId));
      return known === undefined || known.isOld || known.validUntilTs < key.validUntilTs || key.isOld;
    });
    for (const key of news) this.#remember(server, key);
    if (news.length > 0) await this.#store(server, news, answer, fetchedTs);
    return true;
  }

  async #store(server: ServerName, keys: readonly ServerKey[], answer: KeyAnswer, fetchedTs: number): Promise<void> {
    const json = legacyCanonicalJson(answer.json);
    await this.#parts.db.write((unit) => {
      for (const { keyId, validUntilTs } of keys)
        unit.run(putServerKey, { server, keyId, validUntilTs, fetchedTs, json });
    }).committed;
  }

  #remember(server: string, key: ServerKey): void {
    const verifyKey = this.#parts.verifyKeys.find(key.key.publicKey) ?? key.key;
    this.#known.set(placeOf(server, key.keyId), { ...key, key: verifyKey });
  }

  async #findNotaryKey(notary: ServerName, keyId: string): Promise<VerifyKey | undefined> {
    const validAtTs = this.#parts.clock.nowMs();
    const wanted = [{ serverName: notary, keyId, validAtTs }];
    const found = new Map<string, ServerKey>();
    if (this.#collect(wanted, found).length > 0) await this.#loadStored(wanted);
    if (this.#collect(wanted, found).length > 0 && this.#mayAsk(notary)) await this.#askDirectly(notary);
    this.#collect(wanted, found);
    return new KnownKeys(found).find(notary, keyId, validAtTs);
  }
}

interface Asked {
  readonly untilMs: number;
  readonly times: number;
}

/** Our own keys, those that sign no longer included, and the pinned ones. */
function fixedKeys(
  { localServers, verifyKeys }: KeyRingParts,
  { pinnedKeys }: TrustedKeys,
): ReadonlyMap<string, ServerKey> {
  const fixed = new Map<string, ServerKey>();
  const add = (server: string, keyId: string, publicKey: string, validUntilTs: number, isOld: boolean): void => {
    const key = verifyKeys.find(publicKey);
    if (key === undefined) throw new Error(`${publicKey} is no key of ${server}`);
    fixed.set(placeOf(server, keyId), { keyId, key, validUntilTs, isOld });
  };
  for (const server of localServers.names()) {
    for (const { keyId, publicKey, expiredTs } of localServers.oldSigningKeysOf(server))
      add(server, keyId, publicKey, expiredTs, true);
    const { keyId, publicKey } = localServers.signingKeyOf(server);
    add(server, keyId, publicKey, Infinity, false);
  }
  for (const [server, keys] of Object.entries(pinnedKeys))
    for (const [keyId, publicKey] of Object.entries(keys)) add(server, keyId, publicKey, Infinity, false);
  return fixed;
}
