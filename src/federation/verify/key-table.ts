import type { FindServerKey } from '../../matrix/crypto/event-signatures.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import type { VerifyKeys } from '../keys/verify-keys.ts';
import { timeOf } from './wanted-keys.ts';

/** A key as it goes to a thread: server, key id, public key in Base64, and until when what it signed is good. */
export type KeyEntry = readonly [serverName: string, keyId: string, publicKey: string, validUntilTs: number];

/** Keys by server and id. */
export class KeyTable {
  readonly #entries = new Map<string, KeyEntry>();
  readonly #verifyKeys: VerifyKeys;

  constructor(entries: readonly KeyEntry[], verifyKeys: VerifyKeys) {
    for (const entry of entries) this.#entries.set(`${entry[0]} ${entry[1]}`, entry);
    this.#verifyKeys = verifyKeys;
  }

  /** The keys for one event: those that were valid when it was sent, where the room version asks for that. */
  forPdu(pdu: JsonObject, rules: RoomVersionRules): FindServerKey {
    return (serverName, keyId) => {
      const entry = this.#entries.get(`${serverName} ${keyId}`);
      if (entry === undefined) return undefined;
      const [, , publicKey, validUntilTs] = entry;
      return rules.enforceKeyValidity && timeOf(pdu) > validUntilTs ? undefined : this.#verifyKeys.find(publicKey);
    };
  }
}
