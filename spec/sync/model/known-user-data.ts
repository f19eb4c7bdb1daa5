/** What a client holds beside rooms: account data and the messages to its device. */
import assert from 'node:assert/strict';
import type { RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { SyncAnswer, TestUser } from '../../support/test-rooms.ts';
import { type EventWish, type ModelClientOptions, wantsType } from './client-filter.ts';
import type { Truth } from './truth.ts';

export class KnownUserData {
  readonly #user: TestUser;
  readonly #options: ModelClientOptions;
  readonly #accountData = new Map<string, JsonObject>();
  /** Numbers of the messages, as they came. */
  readonly #messages: number[] = [];

  constructor(user: TestUser, options: ModelClientOptions) {
    this.#user = user;
    this.#options = options;
  }

  forget(): void {
    this.#accountData.clear();
  }

  take(answer: SyncAnswer, since: number): void {
    for (const { type, content } of answer.account_data?.events ?? []) {
      assert.ok(wantsType(this.#options.globalData, type), `${type} is wanted`);
      this.#accountData.set(type, content);
    }
    const told = messagesIn(answer);
    // Who begins anew is told what was not acknowledged once more.
    if (since < 0) while (told[0] !== undefined && this.#messages.includes(told[0])) told.shift();
    this.#messages.push(...told);
  }

  assertComplete(truth: Truth): void {
    const { userId, deviceNid } = this.#user;
    assert.deepEqual(this.#messages, truth.messages.get(deviceNid) ?? [], 'messages to the device');
    assertUserData(truth, userId, '', this.#accountData, this.#options.globalData);
    if (wantsType(this.#options.globalData, 'm.push_rules'))
      assert.deepEqual(
        this.#accountData.get('m.push_rules'),
        asTold({ global: truth.rulesetOf(userId) }),
        'push rules',
      );
  }
}

/** Account data of a room, or global. */
export function assertUserData(
  truth: Truth,
  reader: UserId,
  place: RoomId | '',
  known: ReadonlyMap<string, JsonObject>,
  wish: EventWish | undefined,
): void {
  for (const [key, content] of truth.accountData) {
    const [userId, inRoom, type = ''] = key.split('|');
    if (userId !== reader || inRoom !== place || !wantsType(wish, type)) continue;
    // What was deleted is told to those who may know it.
    assert.deepEqual(known.get(type) ?? {}, content, `account data ${type} ${place}`);
  }
}

export const messagesIn = (answer: SyncAnswer): number[] =>
  answer.to_device?.events.map(({ content }) => Number(content['n'])) ?? [];

const asTold = (value: object): unknown => JSON.parse(JSON.stringify(value)) as unknown;
