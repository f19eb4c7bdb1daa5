/** What a model client of sliding sync asks for, as JSON in either shape and as the core takes it. */
import type { RoomId } from '../../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../../src/matrix/json/json-value.ts';
import { RequiredState, type StatePattern } from '../../../../src/sync/sliding/required-state.ts';
import type { RoomFilter, SlidingRequest, SlidingShape } from '../../../../src/sync/sliding/sliding-request.ts';

/** What of the state is wanted. */
export type Wanted = 'everything' | 'few' | 'excluding';

export interface Rules {
  readonly range: readonly [number, number];
  readonly timelineLimit: number;
  readonly wanted: Wanted;
  readonly subscribed: readonly RoomId[];
  readonly filter: 'none' | 'no spaces' | 'no invites';
}

export const everything: Rules = {
  range: [0, 99],
  timelineLimit: 5,
  wanted: 'everything',
  subscribed: [],
  filter: 'none',
};

interface Clause {
  readonly include: readonly StatePattern[];
  readonly exclude: readonly StatePattern[];
  readonly lazyMembers: boolean;
}
const clauses: Readonly<Record<Wanted, Clause>> = {
  everything: { include: [{}], exclude: [], lazyMembers: false },
  few: { include: [{ type: 'm.room.topic' }], exclude: [], lazyMembers: true },
  excluding: { include: [{}], exclude: [{ type: 'm.room.topic' }, { stateKey: 'a' }], lazyMembers: false },
};
const filters: Readonly<Record<Rules['filter'], RoomFilter>> = {
  none: {},
  'no spaces': { notRoomTypes: ['m.space'] },
  'no invites': { isInvite: false },
};

type Core = Pick<SlidingRequest, 'lists' | 'subscriptions' | 'extensions' | 'signature'>;

export function coreOf(rules: Rules): Core {
  const config = { timelineLimit: rules.timelineLimit, required: new RequiredState([clauses[rules.wanted]]) };
  const filterKey = rules.filter === 'none' ? '' : rules.filter;
  return {
    lists: [{ name: 'all', ...config, ranges: [rules.range], filter: filters[rules.filter], filterKey }],
    subscriptions: new Map(rules.subscribed.map((roomId) => [roomId, config])),
    extensions: { receipts: { lists: undefined, rooms: undefined } },
    signature: JSON.stringify(rules),
  };
}

/** The experiment cannot exclude: there it is asked for few. */
export function bodyOf(rules: Rules, shape: SlidingShape, connId: string): JsonObject {
  const isV4 = shape === 'v4';
  const config = {
    timeline_limit: rules.timelineLimit,
    required_state: isV4 ? requiredInV4(clauses[rules.wanted]) : requiredPairs(rules.wanted),
  };
  const isInvite = { [isV4 ? 'is_invited' : 'is_invite']: false };
  const filter = { none: {}, 'no spaces': { not_room_types: ['m.space'] }, 'no invites': isInvite }[rules.filter];
  const range = isV4 ? { range: rules.range } : { ranges: [rules.range] };
  return {
    conn_id: connId,
    lists: { all: { ...config, ...range, filters: filter } },
    room_subscriptions: Object.fromEntries(rules.subscribed.map((roomId) => [roomId, config])),
    extensions: { receipts: { enabled: true } },
  };
}

function requiredInV4({ include, exclude, lazyMembers }: Clause): JsonObject {
  const pattern = ({ type, stateKey }: StatePattern): JsonObject => ({
    ...(type === undefined ? {} : { type }),
    ...(stateKey === undefined ? {} : { state_key: stateKey }),
  });
  return { include: include.map(pattern), exclude: exclude.map(pattern), lazy_members: lazyMembers };
}

const requiredPairs = (wanted: Wanted): string[][] =>
  wanted === 'everything'
    ? [['*', '*']]
    : [
        ['m.room.topic', '*'],
        ['m.room.member', '$LAZY'],
      ];
