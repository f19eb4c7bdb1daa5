/** A new signing key for this server. https://spec.matrix.org/v1.19/server-server-api/#publishing-keys */
import { isJsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import type { LocalServers, OldSigningKey } from '../../platform/local-servers.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import { replaceSigningKey } from '../../platform/signing-key-file.ts';
import type { Database } from '../../storage/database.ts';
import { findServerFact, setServerFact } from '../../storage/server-facts.ts';

export interface OwnKeyParts {
  readonly db: Database;
  readonly localServers: LocalServers;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  /** The file of the main name's key. */
  readonly signingKeyPath: string;
  /** Our own keys have changed. */
  readonly onRotated: () => void;
}
export interface Rotated {
  readonly keyId: string;
  readonly oldKeyId: string;
}

/**
 * The main name's keys. Those that signed in the past are in the database, so that backups have them; the one that signs is in
 * its file.
 */
export class OwnKeyRotation {
  readonly #parts: OwnKeyParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: OwnKeyParts) {
    this.#parts = parts;
  }

  /** Keys that were rotated out before are published again. To be called before anybody asks for keys. */
  async load(): Promise<void> {
    const { localServers } = this.#parts;
    const signingKey = localServers.signingKeyOf(localServers.main);
    this.#publish(signingKey, await this.#rotatedOut());
  }

  /**
   * Signs with a new key from now on. What the key before signed until now stays good. A crash leaves the old key or the new one,
   * and nothing that is signed by a key that nobody can know.
   */
  rotate(): Promise<Rotated> {
    const rotated = this.#last.then(() => this.#rotate());
    this.#last = rotated.catch(() => undefined);
    return rotated;
  }

  async #rotate(): Promise<Rotated> {
    const { db, localServers, clock, random, signingKeyPath, onRotated } = this.#parts;
    const { keyId: oldKeyId, publicKey } = localServers.signingKeyOf(localServers.main);
    const before = (await this.#rotatedOut()).filter(({ keyId }) => keyId !== oldKeyId);
    const configured = localServers.oldSigningKeysOf(localServers.main);
    const taken = new Set([...before, ...configured].map(({ keyId }) => keyId).concat(oldKeyId));
    // Before the key is away: as long as it is the one in the file, it does not count as old.
    const announced = [...before, { keyId: oldKeyId, publicKey, expiredTs: clock.nowMs() }];
    await setServerFact(db, factName, JSON.stringify(announced));
    const signingKey = await replaceSigningKey(signingKeyPath, random, (keyId) => taken.has(keyId));
    // What was signed while the file was written is good, too.
    const old = [...before, { keyId: oldKeyId, publicKey, expiredTs: clock.nowMs() }];
    this.#publish(signingKey, old);
    onRotated();
    await setServerFact(db, factName, JSON.stringify(old));
    return { keyId: signingKey.keyId, oldKeyId };
  }

  #publish(signingKey: ReturnType<LocalServers['signingKeyOf']>, rotatedOut: readonly OldSigningKey[]): void {
    const { localServers } = this.#parts;
    const old = new Map<string, OldSigningKey>();
    for (const key of [...localServers.oldSigningKeysOf(localServers.main), ...rotatedOut]) old.set(key.keyId, key);
    old.delete(signingKey.keyId);
    localServers.replaceKeys(localServers.main, { signingKey, oldSigningKeys: [...old.values()] });
  }

  async #rotatedOut(): Promise<readonly OldSigningKey[]> {
    const stored = await findServerFact(this.#parts.db, factName);
    const value = stored === undefined ? [] : parseJson(stored);
    return Array.isArray(value) ? value.map(oldKeyOf) : [];
  }
}

const factName = 'old_signing_keys';

function oldKeyOf(value: JsonValue): OldSigningKey {
  const { keyId, publicKey, expiredTs } = isJsonObject(value) ? value : {};
  if (typeof keyId === 'string' && typeof publicKey === 'string' && typeof expiredTs === 'number')
    return { keyId, publicKey, expiredTs };
  throw new TypeError(`${factName} in the database is not what was written there`);
}
