/** What users of the model do beside what they do in rooms, and what is true after it. */
import { sendToDevice } from '../../../src/encryption/send-to-device.ts';
import type { RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { defaultPushRules } from '../../../src/matrix/push-rules/default-push-rules.ts';
import { setPushRuleEnabled } from '../../../src/matrix/push-rules/edit-push-rules.ts';
import { unchangedPushRules } from '../../../src/matrix/push-rules/user-push-rules.ts';
import type { Random } from '../../../src/platform/ports.ts';
import { insertDevice } from '../../../src/storage/stores/device-store.ts';
import { noEdus } from '../../encryption/support/other-servers.ts';
import type { TestRooms, TestUser } from '../../support/test-rooms.ts';
import { ruleEdits } from './rule-edits.ts';
import type { Truth } from './truth.ts';

interface World {
  readonly test: TestRooms;
  readonly truth: Truth;
  readonly users: readonly TestUser[];
  /** A user's devices beside that of `users`. */
  readonly otherDevices: readonly TestUser[];
  readonly onChanged: (userId: UserId, what: 'rules' | 'ignored') => void;
}

export class UserActions {
  readonly #random: Random;
  readonly #world: World;
  #count = 0;

  constructor(random: Random, world: World) {
    this.#random = random;
    this.#world = world;
  }

  async accountData(actor: TestUser, roomId: RoomId): Promise<void> {
    const inRoom = this.#random.int(2) === 0 ? roomId : undefined;
    const type = this.#pick(['org.example.a', 'org.example.b']);
    // What is empty is deleted.
    const content = this.#random.int(5) === 0 ? {} : { value: `data ${++this.#count}` };
    await this.#setAccountData(actor, type, content, inRoom);
  }

  async ignore(actor: TestUser): Promise<void> {
    const { userId } = actor;
    const most = this.#random.int(3);
    const chosen = this.#world.users.map((user) => user.userId).filter(() => this.#random.int(8) < most);
    const ignored_users = Object.fromEntries(chosen.map((id) => [id, {}]));
    await this.#setAccountData(actor, 'm.ignored_user_list', { ignored_users });
    this.#world.truth.ignores(userId, new Set(chosen.filter((id) => id !== userId)));
    this.#world.onChanged(userId, 'ignored');
  }

  async pushRules(actor: TestUser, roomId: RoomId): Promise<void> {
    const { userId } = actor;
    const defaults = defaultPushRules(userId);
    const edited = this.#pick(ruleEdits)(this.#world.truth.rulesOf(userId), defaults, userId, roomId);
    // Those go with the user into a room that takes the place of theirs.
    if (edited.own.room !== undefined) return;
    // How many members a room had when an event was counted is nobody's to know.
    const rules =
      edited === unchangedPushRules
        ? edited
        : setPushRuleEnabled(edited, defaults, 'underride', '.m.rule.room_one_to_one', false);
    await this.#world.test.editPushRules(actor, () => rules);
    this.#world.truth.changeRules(userId, rules);
    this.#world.onChanged(userId, 'rules');
  }

  async presence(actor: TestUser): Promise<void> {
    const { test, truth } = this.#world;
    const { userId, deviceNid } = actor;
    const state = this.#pick(['online', 'unavailable', 'offline'] as const);
    const status = this.#random.int(2) === 0 ? undefined : `status ${++this.#count}`;
    test.presence.setPresence(actor, userId, state, status);
    truth.presence?.set(userId, deviceNid, state, status);
  }

  /** Devices need a row to be written to by `*`. */
  async addDevices(): Promise<void> {
    const { test } = this.#world;
    for (const { userNid, deviceNid } of this.#devices()) {
      const row = { device: deviceNid, user: userNid, deviceId: nameOf(deviceNid) };
      const named = { displayName: null, ts: 0, ip: null, userAgent: null };
      await test.ctx.db.write((unit) => unit.run(insertDevice, { ...row, ...named })).committed;
    }
  }

  async toDevice(actor: TestUser): Promise<void> {
    const { test, truth } = this.#world;
    const { db, names, localServers, clock } = test.ctx;
    const messages: Record<string, Record<string, JsonObject>> = {};
    const toAll = this.#random.int(3) === 0;
    for (let n = this.#random.int(3); n >= 0; n--) {
      const { userId, deviceNid } = this.#pick(this.#devices());
      (messages[userId] ??= {})[toAll ? '*' : nameOf(deviceNid)] = { n: ++this.#count };
    }
    const request = { type: 'm.room.encrypted', messages, txnId: `t${++this.#count}` };
    const { inboxes } = test;
    await sendToDevice({ db, names, localServers, inboxes, clock, random: this.#random, edus: noEdus }, actor, request);
    for (const { userId, deviceNid } of this.#devices()) {
      const content = messages[userId]?.[nameOf(deviceNid)] ?? messages[userId]?.['*'];
      if (content === undefined) continue;
      const sent = truth.messages.get(deviceNid) ?? [];
      truth.messages.set(deviceNid, [...sent, content['n'] as number]);
    }
  }

  async #setAccountData(actor: TestUser, type: string, content: JsonObject, inRoom?: RoomId): Promise<void> {
    const { test, truth } = this.#world;
    await test.setAccountData(actor, type, content, inRoom);
    truth.accountData.set(`${actor.userId}|${inRoom ?? ''}|${type}`, content);
  }

  #devices(): readonly TestUser[] {
    return [...this.#world.users, ...this.#world.otherDevices];
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random.int(list.length)] as T;
  }
}

const nameOf = (deviceNid: number): string => `D${deviceNid}`;
