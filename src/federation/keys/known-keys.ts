import type { VerifyKey } from '../../matrix/crypto/ed25519.ts';
import type { FindServerKey } from '../../matrix/crypto/event-signatures.ts';
import type { WantedKey } from '../contract.ts';
import type { KeyEntry } from '../verify/key-table.ts';
import type { ServerKey } from './key-answer.ts';

/** The keys that a question brought. */
export class KnownKeys {
  readonly #keys: ReadonlyMap<string, ServerKey>;

  constructor(keys: ReadonlyMap<string, ServerKey>) {
    this.#keys = keys;
  }

  /** undefined: not known, or what was signed at that time cannot be trusted. `validAtTs` undefined: any time will do. */
  find(serverName: string, keyId: string, validAtTs: number | undefined): VerifyKey | undefined {
    const known = this.#keys.get(placeOf(serverName, keyId));
    return known !== undefined && isValidAt(known, validAtTs) ? known.key : undefined;
  }

  /** All of them, as threads take them. */
  entries(): KeyEntry[] {
    return Array.from(this.#keys, ([place, { keyId, key, validUntilTs }]) => [
      place.slice(0, -keyId.length - 1),
      keyId,
      key.publicKey,
      validUntilTs,
    ]);
  }

  /** Of keys that were wanted for several times, those that are valid at all of them. */
  findWanted(wanted: readonly WantedKey[]): FindServerKey {
    const validAt = new Map<string, number>();
    for (const { serverName, keyId, validAtTs } of wanted) {
      const place = placeOf(serverName, keyId);
      if (validAtTs !== undefined) validAt.set(place, Math.max(validAtTs, validAt.get(place) ?? 0));
    }
    return (serverName, keyId) => this.find(serverName, keyId, validAt.get(placeOf(serverName, keyId)));
  }
}

export const isValidAt = ({ validUntilTs }: ServerKey, ts: number | undefined): boolean =>
  ts === undefined || ts <= validUntilTs;

/** Neither a server name nor the id of a key that is looked for among known ones holds a space. */
export const placeOf = (serverName: string, keyId: string): string => `${serverName} ${keyId}`;
