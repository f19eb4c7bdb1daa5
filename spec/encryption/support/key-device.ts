/** A device with keys, over HTTP: what a client's crypto does, as far as the server can see it. */
import { type SigningKey, signingKeyFromSeed } from '../../../src/matrix/crypto/ed25519.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { addSignature, signableText, signText } from '../../../src/matrix/json/signed-json.ts';
import type { LoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests } from '../../support/test-accounts.ts';
import { requestJson, type TestResponse } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';
let seeds = 0;

/** An Ed25519 key that was never used. */
export function freshKey(): SigningKey {
  return signingKeyFromSeed('ed25519:fresh', Buffer.alloc(32, `seed ${++seeds} `));
}

/** The object, signed by the user with the key under the id. */
export function signedBy(object: JsonObject, userId: string, keyId: string, key: SigningKey): JsonObject {
  return addSignature(object, userId, keyId, signText(signableText(object), key));
}

export interface DeviceLists {
  readonly changed: readonly string[];
  readonly left: readonly string[];
}
export interface SyncAnswer {
  readonly next_batch: string;
  readonly device_lists?: DeviceLists;
  readonly device_one_time_keys_count: Readonly<Record<string, number>>;
  readonly device_unused_fallback_key_types: readonly string[];
}

export class KeyDevice {
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;
  readonly identity = freshKey();
  readonly #url: string;

  private constructor(url: string, { json, text, status }: TestResponse) {
    if (status !== 200) throw new Error(`no session: ${text}`);
    this.#url = url;
    this.userId = String(json['user_id']);
    this.deviceId = String(json['device_id']);
    this.token = String(json['access_token']);
  }

  static async register({ url }: Pick<LoopbackServer, 'url'>, username: string): Promise<KeyDevice> {
    const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
    return new KeyDevice(url, await requestJson(url, 'POST', `${v3}/register`, { body }));
  }

  /** Another device of the user. */
  async anotherDevice(more: JsonObject = {}): Promise<KeyDevice> {
    const identifier = { type: 'm.id.user', user: this.userId };
    const body = { type: 'm.login.password', identifier, password: passwordOfTests, ...more };
    return new KeyDevice(this.#url, await requestJson(this.#url, 'POST', `${v3}/login`, { body }));
  }

  post(path: string, body: JsonObject = {}): Promise<TestResponse> {
    return this.call('POST', path, body);
  }
  call(method: string, path: string, body?: JsonObject): Promise<TestResponse> {
    return requestJson(this.#url, method, v3 + path, { token: this.token, ...(body === undefined ? {} : { body }) });
  }
  /** The answer of a request that succeeds. */
  async done(method: string, path: string, body?: JsonObject): Promise<JsonObject> {
    const { status, json, text } = await this.call(method, path, body);
    if (status !== 200) throw new Error(`${method} ${path} was answered with ${status}: ${text}`);
    return json;
  }

  /** Its own keys, signed by itself. */
  deviceKeys(identity: SigningKey = this.identity): JsonObject {
    const keys = { [`ed25519:${this.deviceId}`]: identity.publicKey, [`curve25519:${this.deviceId}`]: 'a curve key' };
    const algorithms = ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'];
    const object = { user_id: this.userId, device_id: this.deviceId, algorithms, keys };
    return signedBy(object, this.userId, `ed25519:${this.deviceId}`, identity);
  }

  /** By algorithm. */
  async uploadKeys(body: JsonObject = { device_keys: this.deviceKeys() }): Promise<JsonObject> {
    return (await this.done('POST', '/keys/upload', body))['one_time_key_counts'] as JsonObject;
  }
  query(...userIds: readonly string[]): Promise<JsonObject> {
    return this.done('POST', '/keys/query', { device_keys: Object.fromEntries(userIds.map((id) => [id, []])) });
  }
  /** The names of the keys that a device gave out. */
  async claim(of: KeyDevice, algorithm = 'signed_curve25519'): Promise<string[]> {
    const { one_time_keys: keys } = await this.done('POST', '/keys/claim', {
      one_time_keys: { [of.userId]: { [of.deviceId]: algorithm } },
    });
    const claimed = keys as Record<string, Record<string, JsonObject>>;
    return Object.keys(claimed[of.userId]?.[of.deviceId] ?? {});
  }

  async sync(since?: string, timeoutMs = 0): Promise<SyncAnswer> {
    const query = new URLSearchParams({ timeout: String(timeoutMs), ...(since === undefined ? {} : { since }) });
    const { text } = await this.call('GET', `/sync?${query}`);
    return JSON.parse(text) as SyncAnswer;
  }

  async createRoom(...invited: readonly KeyDevice[]): Promise<string> {
    const room = await this.done('POST', '/createRoom', { preset: 'public_chat' });
    const roomId = String(room['room_id']);
    for (const device of invited) await device.join(roomId);
    return roomId;
  }
  join(roomId: string): Promise<JsonObject> {
    return this.done('POST', `/join/${encodeURIComponent(roomId)}`, {});
  }
  leave(roomId: string): Promise<JsonObject> {
    return this.done('POST', `/rooms/${encodeURIComponent(roomId)}/leave`, {});
  }
}

/** One-time keys with these ids. */
export const oneTimeKeys = (...ids: readonly string[]): JsonObject =>
  Object.fromEntries(ids.map((id) => [`signed_curve25519:${id}`, { key: `key ${id}`, signatures: {} }]));

/** Cross-signing keys of a user, with the private halves. */
export class CrossSigning {
  readonly #userId: string;
  readonly master: SigningKey;
  readonly selfSigning = freshKey();
  readonly userSigning = freshKey();

  constructor({ userId }: Pick<KeyDevice, 'userId'>, master = freshKey()) {
    this.#userId = userId;
    this.master = master;
  }

  get masterKey(): JsonObject {
    return this.#object('master', this.master);
  }
  get selfSigningKey(): JsonObject {
    return this.#signed('self_signing', this.selfSigning);
  }
  get userSigningKey(): JsonObject {
    return this.#signed('user_signing', this.userSigning);
  }
  /** Body of POST /keys/device_signing/upload. */
  get upload(): JsonObject {
    return {
      master_key: this.masterKey,
      self_signing_key: this.selfSigningKey,
      user_signing_key: this.userSigningKey,
    };
  }

  /** A device's keys, signed by the self-signing key. */
  signDevice(device: KeyDevice): JsonObject {
    return signedBy(device.deviceKeys(), this.#userId, nameOf(this.selfSigning), this.selfSigning);
  }
  /** Somebody's master key, signed by the user-signing key. */
  signUser(other: CrossSigning): JsonObject {
    return signedBy(other.masterKey, this.#userId, nameOf(this.userSigning), this.userSigning);
  }

  #signed(usage: string, key: SigningKey): JsonObject {
    return signedBy(this.#object(usage, key), this.#userId, nameOf(this.master), this.master);
  }
  #object(usage: string, key: SigningKey): JsonObject {
    return { user_id: this.#userId, usage: [usage], keys: { [nameOf(key)]: key.publicKey } };
  }
}

export const nameOf = (key: SigningKey): string => `ed25519:${key.publicKey}`;
