/** A client of sliding sync that believes what it is told: what it holds in the end must be what /sync tells from the beginning. */
import type { RoomId } from '../../../../src/matrix/ids/ids.ts';
import type { RequiredState } from '../../../../src/sync/sliding/required-state.ts';
import type { SlidingRequest } from '../../../../src/sync/sliding/sliding-request.ts';
import type { TestRooms, TestUser } from '../../../support/test-rooms.ts';
import type { SlidingAnswer, SlidingRoom } from '../support/sliding-client.ts';

/** What the client holds of one room. */
export interface HeldRoom {
  membership: string;
  /** The newest events without a gap. */
  timeline: string[];
  /** By type and key. */
  readonly state: Map<string, string>;
  joined: number;
  invited: number;
  name: string | undefined;
  receipts: Map<string, unknown>;
}

export interface Rules {
  readonly range: readonly [number, number];
  readonly timelineLimit: number;
  readonly required: RequiredState;
  readonly subscribed: readonly string[];
}

export class SlidingModel {
  readonly user: TestUser;
  readonly connId: string;
  readonly rooms = new Map<string, HeldRoom>();
  pos: string | undefined;
  count = 0;

  constructor(user: TestUser, connId: string) {
    this.user = user;
    this.connId = connId;
  }

  /** One answer, from the client's position; it is not taken in. */
  async ask(test: TestRooms, rules: Rules): Promise<SlidingAnswer> {
    const { timelineLimit, required } = rules;
    const config = { timelineLimit, required };
    const request: SlidingRequest = {
      requester: this.user,
      shape: 'v4',
      connId: this.connId,
      pos: this.pos,
      timeoutMs: 0,
      setPresence: 'offline',
      lists: [{ name: 'all', ...config, ranges: [rules.range], filter: {}, filterKey: '' }],
      subscriptions: new Map(rules.subscribed.map((roomId) => [roomId as RoomId, config])),
      extensions: {},
      signature: JSON.stringify([rules.range, timelineLimit, required.key, rules.subscribed]),
      signal: new AbortController().signal,
    };
    return JSON.parse(await test.sync.sliding(request)) as SlidingAnswer;
  }

  /** The client begins anew. */
  forget(): void {
    this.pos = undefined;
    this.rooms.clear();
  }

  take(answer: SlidingAnswer): void {
    this.pos = answer.pos;
    this.count = answer.lists['all']?.count ?? 0;
    for (const [roomId, room] of Object.entries(answer.rooms)) this.#takeRoom(roomId, room);
  }

  #takeRoom(roomId: string, room: SlidingRoom): void {
    const known = this.rooms.get(roomId);
    if (known === undefined && room.initial !== true) throw new Error(`${roomId} is told as known, and is not`);
    const held: HeldRoom =
      room.initial === true || known === undefined
        ? {
            membership: '',
            timeline: [],
            state: new Map(),
            joined: 0,
            invited: 0,
            name: undefined,
            receipts: new Map(),
          }
        : known;
    this.rooms.set(roomId, held);
    held.membership = room.membership ?? held.membership;
    held.joined = room.joined_count ?? held.joined;
    held.invited = room.invited_count ?? held.invited;
    if (room.name !== undefined) held.name = room.name ?? undefined;
    for (const { type, state_key: key = '', event_id: eventId } of room.required_state ?? [])
      if (eventId === undefined) held.state.delete(`${type} ${key}`);
      else held.state.set(`${type} ${key}`, eventId);
    const told = (room.timeline ?? []).map(({ event_id: eventId }) => eventId ?? '');
    const isWhole = room.initial === true || room.limited === true || room.expanded_timeline === true;
    const twice = isWhole ? [] : told.filter((eventId) => held.timeline.includes(eventId));
    if (twice.length > 0) throw new Error(`${twice.join()} is told twice`);
    held.timeline = isWhole && told.length > 0 ? told : [...held.timeline, ...told];
  }
}
