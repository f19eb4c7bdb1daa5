/**
 * The public keys of local users in the form in which /keys/query answers, kept in memory until they change: an answer is
 * put together from texts. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery
 */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import type { Commit, Database } from '../storage/database.ts';
import {
  type CrossSigningKeyRow,
  crossSigningKeys,
  type KeySignatureRow,
  ownSignatures,
  signaturesOfOthers,
} from '../storage/stores/cross-signing-store.ts';
import { type DeviceKeyRow, devicesWithKeys } from '../storage/stores/device-key-store.ts';
import type { CrossSigningUsage } from './cross-signing-key.ts';

export class UserKeys {
  /** By device id; those without keys, too. */
  readonly devices: ReadonlyMap<string, DeviceOfUser>;
  readonly crossSigning: ReadonlyMap<CrossSigningUsage, PublishedKey>;
  #members: AnswerMembers | undefined;

  constructor(devices: ReadonlyMap<string, DeviceOfUser>, crossSigning: ReadonlyMap<CrossSigningUsage, PublishedKey>) {
    this.devices = devices;
    this.crossSigning = crossSigning;
  }

  /** Made once. `userId`: whose keys these are. */
  membersFor(userId: string): AnswerMembers {
    return (this.#members ??= {
      devices: member(userId, allDevices(this.devices)),
      master: member(userId, this.crossSigning.get('master')?.text),
      selfSigning: member(userId, this.crossSigning.get('self_signing')?.text),
    });
  }
}

/** The user's members of the objects that an answer has, as bytes of JSON, each with a comma before it; empty: none. */
export interface AnswerMembers {
  readonly devices: Buffer;
  readonly master: Buffer;
  readonly selfSigning: Buffer;
}
export interface DeviceOfUser {
  readonly deviceNid: number;
  /** JSON text of its keys with all signatures that everybody sees; undefined: it has none. */
  readonly text: string | undefined;
}
export interface PublishedKey {
  /** `ed25519:` and the key in Base64. */
  readonly keyId: string;
  /** JSON text with all signatures that everybody sees. */
  readonly text: string;
}

/** What one user signed of others: by target (a public key), the signatures by the ids of the keys. */
export type SignedByUser = ReadonlyMap<string, Readonly<Record<string, string>>>;

export class KnownKeys {
  readonly #db: Database;
  readonly #users = new Lru<number, UserKeys>({ sizeMax: limits.knownKeysBytesMax, sizeOf: sizeOfKeys });
  readonly #signed = new Lru<number, ReadonlyMap<number, SignedByUser>>({
    sizeMax: limits.knownKeysBytesMax / 4,
    sizeOf: (signed) => 100 + signed.size * 300,
  });
  /** Grows with every change, so that what was read before one is not kept after it. */
  #version = 0;
  readonly #unfollow: () => void;

  constructor(db: Database) {
    this.#db = db;
    this.#unfollow = db.onCommitted((commit) => this.#follow(commit));
  }

  /** Of each of the users, the ones without keys too. Reads nothing of those that are known. */
  async of(userNids: readonly number[]): Promise<ReadonlyMap<number, UserKeys>> {
    const found = new Map<number, UserKeys>();
    const unknown: number[] = [];
    for (const userNid of userNids) {
      const known = this.#users.find(userNid);
      if (known === undefined) unknown.push(userNid);
      else found.set(userNid, known);
    }
    for (let i = 0; i < unknown.length; i += usersPerRead)
      for (const [userNid, keys] of await this.#load(unknown.slice(i, i + usersPerRead))) found.set(userNid, keys);
    return found;
  }

  /** What a user signed of others, by the others' numbers. */
  async signedBy(userNid: number): Promise<ReadonlyMap<number, SignedByUser>> {
    const known = this.#signed.find(userNid);
    if (known !== undefined) return known;
    const version = this.#version;
    const signed = new Map<number, Map<string, Record<string, string>>>();
    for (const row of await this.#db.all(signaturesOfOthers, { signer: userNid, after: -1 })) {
      const ofUser = signed.get(row.user_nid) ?? new Map<string, Record<string, string>>();
      signed.set(row.user_nid, ofUser);
      ofUser.set(row.target, { ...ofUser.get(row.target), [row.key_id]: row.signature });
    }
    if (version === this.#version) this.#signed.set(userNid, signed);
    return signed;
  }

  close(): void {
    this.#unfollow();
  }

  #follow({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind === 'device-list' || wake.kind === 'device') this.#users.delete(wake.userNid);
      else if (wake.kind === 'user-signatures') this.#signed.delete(wake.userNid);
      else continue;
      this.#version++;
    }
  }

  async #load(users: readonly number[]): Promise<Map<number, UserKeys>> {
    const version = this.#version;
    const [devices, keys, signatures] = await Promise.all([
      this.#db.all(devicesWithKeys, { users }),
      this.#db.all(crossSigningKeys, { users }),
      this.#db.all(ownSignatures, { users }),
    ]);
    const devicesOf = Map.groupBy(devices, (row) => row.user_nid);
    const keysOf = Map.groupBy(keys, (row) => row.user_nid);
    const signaturesOf = Map.groupBy(signatures, (row) => row.user_nid);
    const loaded = new Map<number, UserKeys>();
    for (const user of users) {
      const made = userKeys(devicesOf.get(user) ?? [], keysOf.get(user) ?? [], signaturesOf.get(user) ?? []);
      loaded.set(user, made);
      if (version === this.#version) this.#users.set(user, made);
    }
    return loaded;
  }
}

/** `,"name":text` as bytes. */
export function member(name: string, text: string | undefined): Buffer {
  return text === undefined ? noBytes : Buffer.from(`,${JSON.stringify(name)}:${text}`);
}
const noBytes = Buffer.alloc(0);

function allDevices(devices: ReadonlyMap<string, DeviceOfUser>): string {
  let texts = '';
  for (const [deviceId, { text }] of devices) if (text !== undefined) texts += `,${JSON.stringify(deviceId)}:${text}`;
  return `{${texts.slice(1)}}`;
}

/** The text of a key with further signatures of one user. */
export function withSignatures(text: string, userId: string, signatures: Readonly<Record<string, string>>): string {
  return JSON.stringify(addSignatures(JSON.parse(text) as JsonObject, userId, signatures));
}

export function addSignatures(
  key: JsonObject,
  userId: string,
  added: Readonly<Record<string, string>>,
): JsonObject & { readonly signatures: JsonObject } {
  const signatures = (key['signatures'] ?? {}) as JsonObject;
  const ofUser = Object.hasOwn(signatures, userId) ? (signatures[userId] as JsonObject) : {};
  return { ...key, signatures: { ...signatures, [userId]: { ...ofUser, ...added } } };
}

function userKeys(
  devices: readonly DeviceKeyRow[],
  keys: readonly CrossSigningKeyRow[],
  signatures: readonly KeySignatureRow[],
): UserKeys {
  const added = new Map<string, Record<string, string>>();
  for (const { target, key_id: keyId, signature } of signatures)
    added.set(target, { ...added.get(target), [keyId]: signature });
  const byId = new Map<string, DeviceOfUser>();
  for (const row of devices) {
    const text = row.json === null ? undefined : deviceText(row, row.json, added.get(row.device_id));
    byId.set(row.device_id, { deviceNid: row.device_nid, text });
  }
  const crossSigning = new Map<CrossSigningUsage, PublishedKey>();
  for (const { usage, key_id: keyId, json } of keys) {
    const more = added.get(publicKeyOf(keyId));
    const text = more === undefined ? json : withOwnSignatures(json, more);
    crossSigning.set(usage as CrossSigningUsage, { keyId, text });
  }
  return new UserKeys(byId, crossSigning);
}

/** Of `ed25519:<key>`: what the key is known by as a target of signatures. */
export const publicKeyOf = (keyId: string): string => keyId.slice(keyId.indexOf(':') + 1);

function deviceText(
  { display_name: name }: DeviceKeyRow,
  json: string,
  signatures: Readonly<Record<string, string>> | undefined,
): string {
  const signed = signatures === undefined ? json : withOwnSignatures(json, signatures);
  const unsigned = name === null ? '{}' : `{"device_display_name":${JSON.stringify(name)}}`;
  // Stored keys are objects with members, and none of them is `unsigned`.
  return `${signed.slice(0, -1)},"unsigned":${unsigned}}`;
}

/** Keys name whose they are. */
function withOwnSignatures(json: string, signatures: Readonly<Record<string, string>>): string {
  const key = JSON.parse(json) as JsonObject & { readonly user_id: string };
  return JSON.stringify(addSignatures(key, key.user_id, signatures));
}

/** Texts are kept as such and, from the first answer on, as bytes. */
export function sizeOfKeys({ devices, crossSigning }: UserKeys): number {
  let size = 400;
  for (const { text = '' } of devices.values()) size += 200 + text.length * 2;
  for (const { text } of crossSigning.values()) size += 200 + text.length * 2;
  return size;
}

const usersPerRead = 500;
