/** How a model client asks, and what of a timeline it then has to get. */
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { Random } from '../../../src/platform/ports.ts';
import type { SyncTestOptions } from '../../support/test-rooms.ts';
import type { Passes } from './room-log.ts';

export interface ModelClientOptions {
  readonly limit: number;
  readonly lazy: boolean;
  readonly redundant?: boolean;
  /** Whether it takes the state from what is told as state alone. */
  readonly stateAfter?: boolean;
  readonly byThread?: boolean;
  readonly includeLeave?: boolean;
  /** Of the timeline alone. */
  readonly types?: readonly string[];
  readonly notSenders?: readonly UserId[];
}

export function requestOf(options: ModelClientOptions): SyncTestOptions {
  const timeline: JsonObject = {
    limit: options.limit,
    unread_thread_notifications: options.byThread === true,
    ...(options.types === undefined ? {} : { types: options.types.map((type) => `${type.slice(0, -1)}*`) }),
    ...(options.notSenders === undefined ? {} : { not_senders: options.notSenders }),
  };
  const state = { lazy_load_members: options.lazy, include_redundant_members: options.redundant === true };
  return {
    filter: { room: { timeline, state, include_leave: options.includeLeave === true } },
    stateField: options.stateAfter === true ? 'state_after' : 'state',
  };
}

export const isFiltered = ({ types, notSenders }: ModelClientOptions): boolean =>
  types !== undefined || notSenders !== undefined;

export const passesOf =
  ({ types, notSenders }: ModelClientOptions): Passes =>
  ({ type, sender }) =>
    types?.includes(type) !== false && notSenders?.includes(sender) !== true;

export function optionsAtRandom(random: Random, users: readonly UserId[]): ModelClientOptions {
  const chance = (oneIn: number): boolean => random.int(oneIn) === 0;
  const stateAfter = chance(2);
  const options = {
    limit: 1 + random.int(4),
    lazy: chance(2),
    redundant: chance(3),
    stateAfter,
    byThread: chance(2),
    includeLeave: chance(3),
  };
  if (chance(4)) return { ...options, types: ['m.room.message', 'm.room.topic', 'm.room.member'] };
  // Where one sender is left out, the state that goes with a timeline cannot be told without its end.
  const hidden = users[random.int(users.length)];
  return stateAfter && chance(3) && hidden !== undefined ? { ...options, notSenders: [hidden] } : options;
}
