/**
 * Which events another server may see: what any of its users could see when it happened. It has been in the room since then
 * or has joined later, so `shared` is enough. https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-5
 */
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { Lru } from '../../platform/lru.ts';
import { limits } from '../../platform/limits.ts';
import { type RoomsContext, serverOf } from '../../rooms/context.ts';
import {
  type HistoryVisibility,
  type Since,
  historyVisibilityOf,
  morePermissive,
  valueAt,
} from '../../rooms/history-visibility.ts';
import type { StateAround } from '../../rooms/state/state-reader.ts';
import { pduOf } from '../../rooms/stored-event.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { usersOfServerInRoom } from '../../storage/stores/room-server-store.ts';
import { historyOfManyKeys } from '../../storage/stores/state-line-store.ts';
import { type EventRow, eventsByNids } from '../../storage/stores/timeline-store.ts';
import type { AskedRoom } from './context.ts';

/** An event of a timeline; state without a place there is not asked about. */
export type JudgedEvent = Pick<EventRow, 'nid' | 'pos' | 'flags' | 'sender'>;

export class ServerVisibility {
  readonly #ctx: RoomsContext;
  /** Keys of the memberships of a server's users in a room, as of a position. */
  readonly #witnesses = new Lru<string, Witnesses>({ sizeMax: limits.knownWitnessesMax });

  constructor(ctx: RoomsContext) {
    this.#ctx = ctx;
  }

  /** The numbers of the events that the server may see; of the others it gets the redacted form. */
  async visibleTo(asked: AskedRoom, events: readonly JudgedEvent[]): Promise<ReadonlySet<number>> {
    const shown = await this.#withoutHiddenSenders(asked, events);
    const visibilities = await this.#visibilitiesAt(asked.dag.room, shown);
    const visible = new Set<number>();
    const restricted: Restricted[] = [];
    for (const event of shown) {
      const visibility = visibilities.get(event.nid) ?? 'shared';
      if (visibility === 'shared' || visibility === 'world_readable') visible.add(event.nid);
      else restricted.push({ event, memberships: visibility === 'invited' ? ['join', 'invite'] : ['join'] });
    }
    for (const nid of await this.#witnessed(asked, restricted)) visible.add(nid);
    return visible;
  }

  /** Whether somebody of the server was joined right before or after each of the events. */
  async wasJoinedAt(asked: AskedRoom, events: readonly JudgedEvent[]): Promise<boolean> {
    const memberships = ['join'];
    const seen = await this.#witnessed(
      asked,
      events.map((event) => ({ event, memberships })),
    );
    return events.every(({ nid }) => seen.has(nid));
  }

  /** Users who were erased; and as long as it is not known who is in the room, everybody who is not ours. */
  async #withoutHiddenSenders({ dag }: AskedRoom, events: readonly JudgedEvent[]): Promise<readonly JudgedEvent[]> {
    const { names, erasures, localServers } = this.#ctx;
    const senders = await names.userIds(events.map((event) => event.sender));
    return events.filter((_event, index) => {
      const sender = senders[index]!;
      if (dag.isPartial() && !localServers.isLocal(serverOf(sender))) return false;
      return erasures.erasedSince(sender) === undefined;
    });
  }

  /** The more permissive of what held before and after each. */
  async #visibilitiesAt(room: number, events: readonly JudgedEvent[]): Promise<ReadonlyMap<number, HistoryVisibility>> {
    const skey = await this.#ctx.names.findSkey('m.room.history_visibility', '');
    if (skey === undefined) return new Map();
    const { live, fetched } = apart(events);
    const values = new Map<number, HistoryVisibility>();
    const timeline = (await this.#historyOf(room, [skey], 'history_visibility')).get(skey) ?? [];
    for (const { nid, pos } of live) {
      const [before, after] = [valueAt(timeline, pos - 1), valueAt(timeline, pos)].map(historyVisibilityOf);
      values.set(nid, morePermissive(before!, after!));
    }
    const around = await this.#ctx.states.eventsAround(fetched, [skey]);
    const contents = await this.#contentsOf(around.values());
    for (const [nid, state] of around) {
      const [before, after] = [state.before, state.after].map((values) =>
        historyVisibilityOf(contents.get(values.get(skey) ?? 0)?.['history_visibility']),
      );
      values.set(nid, morePermissive(before!, after!));
    }
    return values;
  }

  /** Those of the events during which a user of the server had a membership that suffices. */
  async #witnessed(asked: AskedRoom, events: readonly Restricted[]): Promise<ReadonlySet<number>> {
    const seen = new Set<number>();
    if (events.length === 0) return seen;
    const newestPos = Math.max(...events.map(({ event }) => event.pos ?? 0));
    const known = await this.#witnessesOf(asked, 0);
    await this.#ask(asked.dag.room, known.skeys, events, seen);
    if (seen.size === events.length || known.asOfPos >= newestPos) return seen;
    // Somebody may have come since.
    await this.#ask(asked.dag.room, (await this.#witnessesOf(asked, newestPos)).skeys, events, seen);
    return seen;
  }

  async #ask(room: number, skeys: readonly number[], events: readonly Restricted[], seen: Set<number>): Promise<void> {
    for (let at = 0; at < skeys.length && seen.size < events.length; at += witnessesPerQuery) {
      const asked = skeys.slice(at, at + witnessesPerQuery);
      const left = events.filter(({ event }) => !seen.has(event.nid));
      const { live, fetched } = apart(left.map(({ event }) => event));
      const sufficient = new Map(left.map(({ event, memberships }) => [event.nid, memberships]));
      const timelines = [...(await this.#historyOf(room, asked, 'membership')).values()];
      for (const { nid, pos } of live) {
        const has = (membership: unknown) => isOneOf(sufficient.get(nid) ?? [], membership);
        if (timelines.some((timeline) => has(valueAt(timeline, pos - 1)) || has(valueAt(timeline, pos)))) seen.add(nid);
      }
      const around = await this.#ctx.states.eventsAround(fetched, asked);
      const contents = await this.#contentsOf(around.values());
      for (const [nid, { before, after }] of around) {
        const memberEvents = [...before.values(), ...after.values()];
        if (memberEvents.some((event) => isOneOf(sufficient.get(nid) ?? [], contents.get(event)?.['membership'])))
          seen.add(nid);
      }
    }
  }

  /** As of a position at least. */
  async #witnessesOf({ dag, serverNid }: AskedRoom, pos: number): Promise<Witnesses> {
    const key = `${dag.room} ${serverNid}`;
    const known = this.#witnesses.find(key);
    if (known !== undefined && known.asOfPos >= pos) return known;
    const { db, names } = this.#ctx;
    const asOfPos = db.committedPos();
    const rows = await db.all(usersOfServerInRoom, {
      room: dag.room,
      server: serverNid,
      limit: limits.witnessesMax,
    });
    const userIds = await names.userIds(rows.map((row) => row.user_nid));
    const skeys = await names.findSkeys(userIds.map((userId) => ({ type: 'm.room.member', key: userId })));
    const witnesses = { asOfPos, skeys: skeys.filter((skey) => skey !== undefined) };
    this.#witnesses.set(key, witnesses);
    return witnesses;
  }

  /** How one member of the content of some keys of the current state changed. */
  async #historyOf(
    room: number,
    skeys: readonly number[],
    member: string,
  ): Promise<ReadonlyMap<number, readonly Since<unknown>[]>> {
    const timelines = new Map<number, Since<unknown>[]>();
    for (const { skey, pos, body } of await this.#ctx.db.all(historyOfManyKeys, { room, skeys })) {
      const value = body === null ? undefined : (pduOf({ body })['content'] as JsonObject)[member];
      const timeline = timelines.get(skey) ?? [];
      timeline.push({ pos, value });
      timelines.set(skey, timeline);
    }
    return timelines;
  }

  async #contentsOf(states: Iterable<StateAround>): Promise<ReadonlyMap<number, JsonObject>> {
    const nids = new Set<number>();
    for (const { before, after } of states) for (const nid of [...before.values(), ...after.values()]) nids.add(nid);
    if (nids.size === 0) return new Map();
    const rows = await this.#ctx.db.all(eventsByNids, { nids: [...nids] });
    return new Map(rows.map((row) => [row.nid, pduOf(row)['content'] as JsonObject]));
  }
}

interface Witnesses {
  readonly asOfPos: number;
  readonly skeys: readonly number[];
}
interface Restricted {
  readonly event: JudgedEvent;
  /** One of which a user of the server must have had. */
  readonly memberships: readonly string[];
}

const witnessesPerQuery = 50;

const isOneOf = (memberships: readonly string[], membership: unknown): boolean =>
  typeof membership === 'string' && memberships.includes(membership);

/** What came in live is judged by the current state as it was then; history that was fetched, by the state that it has. */
function apart(events: readonly JudgedEvent[]): {
  readonly live: readonly { readonly nid: number; readonly pos: number }[];
  readonly fetched: readonly number[];
} {
  const live: { nid: number; pos: number }[] = [];
  const fetched: number[] = [];
  for (const { nid, pos, flags } of events) {
    if (pos === null) continue;
    if ((flags & EventFlag.backfilled) === 0) live.push({ nid, pos });
    else fetched.push(nid);
  }
  return { live, fetched };
}
