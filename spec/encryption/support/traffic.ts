/** Devices that write to each other, claim keys and change their own at random, each held against what it must know. */
import assert from 'node:assert/strict';
import { claimKeys } from '../../../src/encryption/claim-keys.ts';
import { queryKeys } from '../../../src/encryption/query-keys.ts';
import { sendToDevice } from '../../../src/encryption/send-to-device.ts';
import { uploadKeys } from '../../../src/encryption/upload-keys.ts';
import { KnownKeys } from '../../../src/encryption/user-keys.ts';
import { MatrixError } from '../../../src/matrix/errors.ts';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { KeyedLock } from '../../../src/platform/keyed-lock.ts';
import type { Random } from '../../../src/platform/ports.ts';
import type { Database } from '../../../src/storage/database.ts';
import { insertDevice } from '../../../src/storage/stores/device-store.ts';
import type { SlidingRequest, SlidingShape } from '../../../src/sync/sliding/sliding-request.ts';
import type { SlidingAnswer } from '../../sync/sliding/support/sliding-client.ts';
import { noEdus, nobodyElse, nobodyTold, nothingKept } from './other-servers.ts';
import { seededRandom, testPorts } from '../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../support/test-rooms.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';

const type = 'm.room.encrypted';

interface Device {
  readonly actor: TestUser;
  readonly deviceId: string;
  /** Of /sync, or the position of sliding sync. */
  since: string | undefined;
  /** Of sliding sync: up to where it has its messages. */
  messagesSince: number | undefined;
  /** Numbers of the messages in the order in which they were sent to it, and in which it has them. */
  readonly sent: number[];
  readonly received: number[];
  /** Of each user, what a query answered last. */
  readonly known: Map<UserId, JsonObject>;
}

export class Traffic {
  readonly devices: Device[] = [];
  readonly #via: 'sync' | SlidingShape;
  readonly #db: WatchedDatabase;
  readonly #random: Random;
  readonly #ports = testPorts(1);
  readonly #claimed = new Set<string>();
  readonly #locks = new KeyedLock<number>();
  #knownKeys: KnownKeys;
  #test: TestRooms;
  #count = 0;

  /** `via`: how the devices sync. */
  constructor(db: Database, seed: number, via: 'sync' | SlidingShape = 'sync') {
    this.#via = via;
    this.#db = new WatchedDatabase(db);
    this.#random = seededRandom(seed);
    this.#test = new TestRooms(this.#db, this.#ports, { encryptByDefault: 'all' });
    this.#knownKeys = new KnownKeys(this.#db);
  }

  async begin(users: readonly string[], devicesOfEach: number): Promise<void> {
    for (const localpart of users)
      for (let n = 0; n < devicesOfEach; n++) {
        const [actor, deviceId] = [await this.#test.user(localpart), `${localpart}${n}`];
        const row = { device: actor.deviceNid, user: actor.userNid, deviceId };
        const named = { displayName: null, ts: 0, ip: null, userAgent: null };
        await this.#db.write((unit) => unit.run(insertDevice, { ...row, ...named })).committed;
        this.devices.push({
          actor,
          deviceId,
          since: undefined,
          messagesSince: undefined,
          sent: [],
          received: [],
          known: new Map(),
        });
      }
    const [{ actor: creator }] = this.devices as [Device];
    const roomId = await this.#test.createRoom(creator);
    for (const { actor } of this.devices)
      if (actor.userId !== creator.userId) await this.#test.rooms.joinRoom(actor, { roomId });
  }

  async act(): Promise<void> {
    const device = this.#pick(this.devices);
    const dice = this.#random.int(100);
    if (dice < 40) await this.#send(device);
    else if (dice < 75) await this.#sync(device);
    else if (dice < 80) await Promise.all([this.#send(device, 'lucky'), this.#sync(this.#pick(this.devices))]);
    else if (dice < 86) await this.#uploadOneTimeKeys(device);
    else if (dice < 92) await this.#changeKeys(device);
    else if (dice < 98) await Promise.all([this.#claim(device), this.#claim(device)]);
    else if (dice < 99) device.since = undefined;
    else await this.#restart();
  }

  /** Everybody syncs until there is nothing new. */
  async end(): Promise<void> {
    for (const device of this.devices) {
      while ((await this.#take(device)).messages.length > 0);
      assert.deepEqual(device.received, device.sent, `messages of ${device.deviceId}`);
      for (const [userId, keys] of device.known) assert.deepEqual(keys, await this.#query(userId), `keys of ${userId}`);
      assert.deepEqual(new Set(device.known.keys()), new Set(this.devices.map(({ actor }) => actor.userId)));
    }
  }

  async #send(from: Device, how?: 'lucky'): Promise<void> {
    const messages: Record<string, Record<string, JsonObject>> = {};
    const isBroadcast = this.#random.int(4) === 0;
    for (let n = this.#random.int(3); n >= 0; n--) {
      const { actor, deviceId } = this.#pick(this.devices);
      const key = isBroadcast ? '*' : deviceId;
      (messages[actor.userId] ??= {})[key] = { n: ++this.#count };
    }
    for (const { actor, deviceId, sent } of this.devices) {
      const content = messages[actor.userId]?.[deviceId] ?? messages[actor.userId]?.['*'];
      if (content !== undefined) sent.push(content['n'] as number);
    }
    const txnId = `t${++this.#count}`;
    const attempt = () => sendToDevice(this.#context(), from.actor, { type, messages, txnId });
    // What fails or ends while others do something would hit them, too.
    const luck = how === 'lucky' ? undefined : this.#random.int(6);
    if (luck === 0) {
      this.#db.failNextWrite();
      await assert.rejects(attempt(), /the write did not happen/);
    }
    await attempt();
    // The answer got lost, and perhaps the server with it.
    if (luck === 1) await attempt();
    if (luck === 2) {
      await this.#restart();
      await attempt();
    }
  }

  async #sync(device: Device): Promise<void> {
    const luck = this.#random.int(3);
    if (luck === 0) {
      const { messages: first } = await this.#ask(device);
      const { messages: second } = await this.#ask(device);
      assert.deepEqual(second.slice(0, first.length), first, 'a repeated request tells the same first');
    }
    if (luck !== 1) await this.#take(device);
  }

  async #take(device: Device): Promise<Told> {
    const { since } = device;
    const answer = await this.#ask(device);
    // Another request of the same device was quicker.
    if (device.since !== since) return answer;
    const told = [...answer.messages];
    // Who begins anew is told what was not acknowledged once more.
    if (since === undefined) while (told[0] !== undefined && device.received.includes(told[0])) told.shift();
    device.received.push(...told);
    device.since = answer.next;
    device.messagesSince = answer.nextMessages ?? device.messagesSince;
    assert.deepEqual(device.received, device.sent.slice(0, device.received.length), `messages of ${device.deviceId}`);
    const changed =
      since === undefined || answer.isAnew ? this.devices.map(({ actor }) => actor.userId) : answer.changed;
    for (const userId of new Set(changed)) device.known.set(userId, await this.#query(userId));
    return answer;
  }

  async #ask(device: Device): Promise<Told> {
    const { actor, since } = device;
    if (this.#via === 'sync') {
      const answer = await this.#test.syncOnce(actor, since);
      return {
        next: answer.next_batch,
        isAnew: since === undefined,
        messages: numbersIn(answer.to_device?.events),
        changed: answer.device_lists?.changed ?? [],
      };
    }
    const { answer, isAnew } = await this.#slide(device, this.#via);
    const { to_device: messages, e2ee } = answer.extensions;
    const lists = e2ee?.['device_lists'] as { readonly changed?: readonly UserId[] } | undefined;
    return {
      next: answer.pos,
      nextMessages: messages && Number(messages.next_batch),
      isAnew,
      messages: numbersIn(messages?.events),
      changed: lists?.changed ?? [],
    };
  }

  /** A position that was not written down before the server ended is of no use: the device begins anew. */
  async #slide({ actor, since, messagesSince }: Device, shape: SlidingShape) {
    const request: SlidingRequest = {
      requester: actor,
      shape,
      connId: 'traffic',
      pos: since,
      timeoutMs: 0,
      setPresence: 'offline',
      lists: [],
      subscriptions: new Map(),
      extensions: { toDevice: { since: messagesSince, limit: 100 }, e2ee: true },
      signature: '',
      signal: new AbortController().signal,
    };
    const ask = async (pos: string | undefined): Promise<SlidingAnswer> =>
      JSON.parse(await this.#test.sync.sliding({ ...request, pos })) as SlidingAnswer;
    const isUnknown = (error: unknown): boolean => error instanceof MatrixError && error.errcode === 'M_UNKNOWN_POS';
    const answer = await ask(since).catch((error: unknown) => {
      if (since === undefined || !isUnknown(error)) throw error;
      return undefined;
    });
    return { answer: answer ?? (await ask(undefined)), isAnew: since === undefined || answer === undefined };
  }

  async #uploadOneTimeKeys(device: Device): Promise<void> {
    const oneTimeKeys = { [`signed_curve25519:k${++this.#count}`]: { key: `${this.#count}`, signatures: {} } };
    for (let times = 1 + this.#random.int(2); times > 0; times--) await this.#upload(device, { oneTimeKeys });
  }

  #changeKeys(device: Device): Promise<void> {
    const { actor, deviceId } = device;
    const keys = { [`ed25519:${deviceId}`]: `key ${++this.#count}` };
    const deviceKeys = { user_id: actor.userId, device_id: deviceId, algorithms: [], keys, signatures: {} };
    return this.#upload(device, { deviceKeys });
  }

  async #upload({ actor, deviceId }: Device, keys: { deviceKeys?: JsonObject; oneTimeKeys?: JsonObject }) {
    const request = { deviceKeys: undefined, oneTimeKeys: undefined, fallbackKeys: undefined, ...keys };
    await uploadKeys({ ...this.#context(), locks: this.#locks }, { ...actor, deviceId }, request);
  }

  async #claim({ actor: { userId }, deviceId }: Device): Promise<void> {
    const text = await claimKeys(this.#context(), [[userId, { [deviceId]: 'signed_curve25519' }]]);
    const { one_time_keys: keys } = JSON.parse(text) as {
      one_time_keys: Record<string, Record<string, Record<string, JsonObject>>>;
    };
    for (const name of Object.keys(keys[userId]?.[deviceId] ?? {})) {
      assert.ok(!this.#claimed.has(name), `${name} was given out before`);
      this.#claimed.add(name);
    }
  }

  async #query(userId: UserId): Promise<JsonObject> {
    const [{ actor }] = this.devices as [Device];
    const bytes = await queryKeys(this.#context(), actor, [[userId, []]]);
    return (JSON.parse(bytes.toString()) as { device_keys: JsonObject }).device_keys;
  }

  async #restart(): Promise<void> {
    // What connections were told is written behind: that is not the write that is to fail.
    if (this.#via !== 'sync') await this.#test.sync.close();
    this.#knownKeys.close();
    this.#test = this.#test.restarted();
    this.#knownKeys = new KnownKeys(this.#db);
  }

  #context() {
    const { names, localServers } = this.#test.ctx;
    const { inboxes, keyCounts } = this.#test;
    return {
      db: this.#db,
      names,
      localServers,
      inboxes,
      keyCounts,
      knownKeys: this.#knownKeys,
      remoteKeys: nobodyElse,
      remoteLists: nothingKept,
      edus: noEdus,
      outgoingDevices: nobodyTold,
      random: this.#random,
      clock: this.#ports.clock,
    };
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random.int(list.length)] as T;
  }
}

/** One answer, whichever way it came. */
interface Told {
  readonly next: string;
  readonly nextMessages?: number | undefined;
  /** The device has to ask for all keys. */
  readonly isAnew: boolean;
  readonly messages: readonly number[];
  readonly changed: readonly UserId[];
}

const numbersIn = (events: readonly { readonly content?: JsonObject }[] = []): number[] =>
  events.map(({ content }) => Number(content?.['n']));
