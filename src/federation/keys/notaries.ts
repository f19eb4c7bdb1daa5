/** https://spec.matrix.org/v1.19/server-server-api/#querying-keys-through-another-server */
import type { VerifyKey } from '../../matrix/crypto/ed25519.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { legacyCanonicalJson } from '../../matrix/json/canonical-json.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { signingKeyIds, verifySignedJson } from '../../matrix/json/signed-json.ts';
import { limits } from '../../platform/limits.ts';
import { FederationError } from '../federation-error.ts';
import type { KeyFetcher } from './key-fetcher.ts';

export interface NotariesParts {
  readonly fetcher: Pick<KeyFetcher, 'askNotary'>;
  notaries(): readonly ServerName[];
  /** Not by way of a notary. */
  findNotaryKey(notary: ServerName, keyId: string): Promise<VerifyKey | undefined>;
  /** What a server says of its own keys, as a notary passed it on and signed it. False: it is no such thing. */
  take(server: ServerName, json: JsonObject): Promise<boolean>;
}

/** The ids of the keys of a server, each with the time at which it must be valid. */
export type WantedKeyIds = ReadonlyMap<string, number>;

/** Asks trusted servers for the keys of others, for as many at once as wait while one question is on its way. */
export class Notaries {
  readonly #parts: NotariesParts;
  #waiting = new Map<ServerName, WantedKeyIds>();
  #next: Promise<void> | undefined;
  #current: Promise<void> = Promise.resolve();

  constructor(parts: NotariesParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  ask(server: ServerName, keys: WantedKeyIds): Promise<void> {
    if (this.#parts.notaries().every((notary) => notary === server)) return Promise.resolve();
    this.#waiting.set(server, keys);
    this.#next ??= this.#current.then(() => {
      const wanted = this.#waiting;
      this.#waiting = new Map();
      this.#next = undefined;
      return (this.#current = this.#askAll(wanted));
    });
    return this.#next;
  }

  async #askAll(wanted: ReadonlyMap<ServerName, WantedKeyIds>): Promise<void> {
    const left = new Map(wanted);
    for (const notary of this.#parts.notaries()) {
      const servers = [...left].filter(([server]) => server !== notary);
      for (let at = 0; at < servers.length; at += limits.notaryServersMax)
        for (const answered of await this.#askOne(notary, new Map(servers.slice(at, at + limits.notaryServersMax))))
          left.delete(answered);
      if (left.size === 0) return;
    }
  }

  /** The servers of which it had keys that could be taken. */
  async #askOne(notary: ServerName, wanted: ReadonlyMap<ServerName, WantedKeyIds>): Promise<ReadonlySet<ServerName>> {
    const answered = new Set<ServerName>();
    try {
      for (const json of await this.#parts.fetcher.askNotary(notary, wanted)) {
        const server = json['server_name'];
        if (typeof server !== 'string' || !wanted.has(server as ServerName)) continue;
        if ((await this.#isSignedBy(notary, json)) && (await this.#parts.take(server as ServerName, json)))
          answered.add(server as ServerName);
      }
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
    }
    return answered;
  }

  async #isSignedBy(notary: ServerName, json: JsonObject): Promise<boolean> {
    const keys = new Map<string, VerifyKey>();
    for (const keyId of signingKeyIds(json, notary).slice(0, signaturesMax)) {
      const key = await this.#parts.findNotaryKey(notary, keyId);
      if (key !== undefined) keys.set(keyId, key);
    }
    return verifySignedJson(json, notary, (keyId) => keys.get(keyId), legacyCanonicalJson).ok;
  }
}

const signaturesMax = 5;
