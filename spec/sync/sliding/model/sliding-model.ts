/** A client of sliding sync that believes what it is told: what it holds in the end must be what /sync tells from the beginning. */
import type { EventId } from '../../../../src/matrix/ids/ids.ts';
import type { SlidingShape } from '../../../../src/sync/sliding/sliding-request.ts';
import type { TestUser } from '../../../support/test-rooms.ts';
import { receiptsIn } from '../../model/known-room.ts';
import type { SlidingAnswer, SlidingEvent, SlidingRoom } from '../support/sliding-client.ts';

/** What the client holds of one room. */
export interface HeldRoom {
  membership: string;
  /** The newest events without a gap. */
  timeline: SlidingEvent[];
  /** By type and key. */
  readonly state: Map<string, string>;
  joined: number;
  invited: number;
  name: string | undefined;
  /** User, type and thread → event. */
  readonly receipts: Map<string, EventId>;
  /** Notifications and highlights; undefined: they may have changed without being told. */
  counts: readonly [number, number] | undefined;
}

export class SlidingModel {
  readonly user: TestUser;
  readonly connId: string;
  readonly shape: SlidingShape;
  readonly rooms = new Map<string, HeldRoom>();
  pos: string | undefined;
  /** The position before, which is over when the next request has shown this one. */
  formerPos: string | undefined;
  count = 0;

  constructor(user: TestUser, connId: string, shape: SlidingShape) {
    this.user = user;
    this.connId = connId;
    this.shape = shape;
  }

  /** The client begins anew. */
  forget(): void {
    this.pos = undefined;
    this.formerPos = undefined;
    this.rooms.clear();
  }

  /** Whom the user ignores changed. */
  ignoredChanged(): void {
    for (const held of this.rooms.values()) held.counts = undefined;
  }

  take(answer: SlidingAnswer, ignored: ReadonlySet<string>): void {
    if (answer.pos !== this.pos) {
      this.formerPos = this.pos;
      this.pos = answer.pos;
    }
    this.count = answer.lists['all']?.count ?? 0;
    for (const [roomId, room] of Object.entries(answer.rooms)) this.#takeRoom(roomId, room, ignored);
    for (const [roomId, { content = {} }] of Object.entries(answer.extensions.receipts?.rooms ?? {})) {
      const held = this.rooms.get(roomId);
      if (held === undefined) throw new Error(`receipts of ${roomId}, which was not told`);
      for (const [key, eventId] of receiptsIn(content)) {
        if (ignored.has(key.split(' ')[0] ?? '')) throw new Error(`somebody ignored has read: ${key}`);
        held.receipts.set(key, eventId);
      }
    }
  }

  #takeRoom(roomId: string, room: SlidingRoom, ignored: ReadonlySet<string>): void {
    const known = this.rooms.get(roomId);
    if (known === undefined && room.initial !== true) throw new Error(`${roomId} is told as known, and is not`);
    const held = room.initial === true || known === undefined ? nothingHeld() : known;
    this.rooms.set(roomId, held);
    held.membership = this.#membershipIn(room) ?? (held.membership === '' ? 'join' : held.membership);
    held.joined = room.joined_count ?? held.joined;
    held.invited = room.invited_count ?? held.invited;
    if (room.name !== undefined) held.name = room.name ?? undefined;
    for (const { type, state_key: key = '', event_id: eventId } of room.required_state ?? [])
      if (eventId === undefined) held.state.delete(`${type} ${key}`);
      else held.state.set(`${type} ${key}`, eventId);
    if (room.notification_count !== undefined) held.counts = [room.notification_count, room.highlight_count ?? 0];
    this.#takeTimeline(held, room, ignored);
  }

  #takeTimeline(held: HeldRoom, room: SlidingRoom, ignored: ReadonlySet<string>): void {
    const told = room.timeline ?? [];
    for (const { state_key: key, sender = '' } of told)
      if (key === undefined && ignored.has(sender)) throw new Error(`${sender} is ignored and heard`);
    const isWhole =
      room.initial === true ||
      room.limited === true ||
      room.expanded_timeline === true ||
      room.unstable_expanded_timeline === true;
    const ids = new Set(held.timeline.map(({ event_id: eventId }) => eventId));
    const twice = isWhole ? [] : told.filter(({ event_id: eventId }) => ids.has(eventId));
    if (twice.length > 0) throw new Error(`${JSON.stringify(twice)} is told twice`);
    held.timeline = isWhole && told.length > 0 ? [...told] : [...held.timeline, ...told];
  }

  /** The experiment has no word for it: what was shown of the room says so, or the user's own event. */
  #membershipIn(room: SlidingRoom): string | undefined {
    const [ofShape, other] =
      this.shape === 'v4' ? [room.stripped_state, room.invite_state] : [room.invite_state, room.stripped_state];
    if (other !== undefined) throw new Error('a room is shown in the words of the other shape');
    const isOwn = ({ type, state_key: key }: SlidingEvent): boolean =>
      type === 'm.room.member' && key === this.user.userId;
    const shown = ofShape?.findLast(isOwn);
    if (ofShape !== undefined && shown === undefined) throw new Error('the own membership is shown of the room');
    if (this.shape === 'v4') return room.membership;
    const own = shown ?? room.required_state?.findLast(isOwn) ?? room.timeline?.findLast(isOwn);
    const membership = own?.content?.['membership'];
    return typeof membership === 'string' ? membership : undefined;
  }
}

const nothingHeld = (): HeldRoom => ({
  membership: '',
  timeline: [],
  state: new Map(),
  joined: 0,
  invited: 0,
  name: undefined,
  receipts: new Map(),
  counts: undefined,
});
