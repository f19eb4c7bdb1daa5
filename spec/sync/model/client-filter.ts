/** How a model client asks, and what of an answer it then has to get. */
import type { RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { Random } from '../../../src/platform/ports.ts';
import type { StateField } from '../../../src/sync/sync-request.ts';
import type { SyncTestOptions } from '../../support/test-rooms.ts';
import type { LoggedEvent, Passes } from './room-log.ts';

/** What is absent leaves nothing out. A type may end in `*`. */
export interface EventWish {
  readonly types?: readonly string[];
  readonly notTypes?: readonly string[];
  readonly senders?: readonly UserId[];
  readonly notSenders?: readonly UserId[];
  readonly containsUrl?: boolean;
  readonly rooms?: readonly RoomId[];
  readonly notRooms?: readonly RoomId[];
}

export interface ModelClientOptions {
  readonly limit: number;
  readonly lazy: boolean;
  readonly redundant?: boolean;
  /** Absent: `state`. */
  readonly stateField?: StateField;
  readonly byThread?: boolean;
  readonly includeLeave?: boolean;
  readonly timeline?: EventWish;
  readonly state?: EventWish;
  readonly ephemeral?: EventWish;
  readonly accountData?: EventWish;
  readonly globalData?: EventWish;
  /** Of whole rooms. */
  readonly room?: Pick<EventWish, 'rooms' | 'notRooms'>;
}

export function requestOf(options: ModelClientOptions): SyncTestOptions {
  const { limit, lazy, redundant = false, byThread = false, includeLeave = false } = options;
  const timeline = { ...filterOf(options.timeline), limit, unread_thread_notifications: byThread };
  const state = { ...filterOf(options.state), lazy_load_members: lazy, include_redundant_members: redundant };
  return {
    filter: {
      account_data: filterOf(options.globalData),
      room: {
        ...filterOf(options.room),
        timeline,
        state,
        ephemeral: filterOf(options.ephemeral),
        account_data: filterOf(options.accountData),
        include_leave: includeLeave,
      },
    },
    stateField: options.stateField ?? 'state',
  };
}

function filterOf(wish: EventWish = {}): JsonObject {
  const named: Record<string, EventWish[keyof EventWish]> = {
    types: wish.types,
    not_types: wish.notTypes,
    senders: wish.senders,
    not_senders: wish.notSenders,
    contains_url: wish.containsUrl,
    rooms: wish.rooms,
    not_rooms: wish.notRooms,
  };
  return JSON.parse(JSON.stringify(named)) as JsonObject;
}

/** Whether clients take the state from what is told as state alone. */
export const isStateAfter = ({ stateField = 'state' }: ModelClientOptions): boolean => stateField !== 'state';

/** Whether the timeline may lack what happened. */
export const isFiltered = ({ timeline }: ModelClientOptions): boolean => timeline !== undefined;

/** Whether of one state key some events may be in the timeline and others not. */
export const splitsKeys = ({ timeline }: ModelClientOptions): boolean =>
  (timeline?.senders ?? timeline?.notSenders ?? timeline?.containsUrl) !== undefined;

/** Events of the timeline that the client has to get. State is told whoever sent it. */
export const passesOf =
  ({ timeline }: ModelClientOptions, ignored: ReadonlySet<UserId>): Passes =>
  (event) =>
    (event.stateKey !== undefined || !ignored.has(event.sender)) && wantsEvent(timeline, event);

export function wantsEvent(
  wish: EventWish | undefined,
  { type, sender, hasUrl }: Pick<LoggedEvent, 'type' | 'sender' | 'hasUrl'>,
): boolean {
  if (wish?.containsUrl !== undefined && wish.containsUrl !== hasUrl) return false;
  if (wish?.senders?.includes(sender) === false || wish?.notSenders?.includes(sender) === true) return false;
  return wantsType(wish, type);
}

export function wantsType({ types, notTypes }: EventWish = {}, type: string): boolean {
  const isOne = (pattern: string): boolean =>
    pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
  return types?.some(isOne) !== false && notTypes?.some(isOne) !== true;
}

export const wantsRoom = ({ rooms, notRooms }: EventWish = {}, roomId: RoomId): boolean =>
  rooms?.includes(roomId) !== false && notRooms?.includes(roomId) !== true;

export function optionsAtRandom(
  random: Random,
  users: readonly UserId[],
  rooms: readonly RoomId[],
): ModelClientOptions {
  const chance = (oneIn: number): boolean => random.int(oneIn) === 0;
  const pick = <T>(of: readonly T[]): T => of[random.int(of.length)] as T;
  const stateField = pick(['state', 'state', 'state_after', 'org.matrix.msc4222.state_after'] as const);
  const maybe = <K extends string>(oneIn: number, name: K, wish: () => EventWish): { [key in K]?: EventWish } =>
    chance(oneIn) ? ({ [name]: wish() } as { [key in K]?: EventWish }) : {};
  return {
    limit: 1 + random.int(4),
    lazy: chance(2),
    redundant: chance(3),
    stateField,
    byThread: chance(2),
    includeLeave: chance(3),
    ...maybe(3, 'timeline', () =>
      pick<EventWish>([
        { types: ['m.room.messag*', 'm.room.topic', 'm.room.member'] },
        { notTypes: ['m.react*', 'm.room.name'] },
        { notSenders: [pick(users)] },
        { senders: users.filter(() => chance(2)) },
        { containsUrl: chance(2) },
        { notRooms: [pick(rooms)] },
      ]),
    ),
    ...maybe(3, 'state', () =>
      pick<EventWish>([
        { types: ['m.room.member', 'm.room.t*', 'org.example'] },
        { notTypes: ['m.room.member'] },
        { notTypes: ['m.room.*'] },
        { senders: users.filter(() => chance(2)) },
        { notSenders: [pick(users), pick(users)] },
        { containsUrl: chance(2) },
        { rooms: [pick(rooms), pick(rooms)] },
      ]),
    ),
    ...maybe(5, 'ephemeral', () => pick<EventWish>([{ notTypes: ['m.typing'] }, { types: ['m.typing'] }])),
    ...maybe(5, 'accountData', () => pick<EventWish>([{ types: ['org.example.a'] }, { notTypes: ['org.example.a'] }])),
    ...maybe(5, 'globalData', () => pick<EventWish>([{ notTypes: ['m.*'] }, { types: ['m.push_rules'] }])),
    ...maybe(5, 'room', () => pick<EventWish>([{ rooms: [pick(rooms), pick(rooms)] }, { notRooms: [pick(rooms)] }])),
  };
}
