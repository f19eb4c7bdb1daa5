/** What was found, as its reader gets it: events with what stands around them, and the state of their rooms. */
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { type Viewer, clientEvents } from '../rooms/client-events.ts';
import type { Actor, RoomsContext } from '../rooms/context.ts';
import type { SourceEvent } from '../rooms/erasure.ts';
import { formatTimelineToken } from '../rooms/pagination-token.ts';
import { type OpenedForReading, memberRows, stateRows, viewer } from '../rooms/read-state.ts';
import { eventsAround } from '../rooms/read-timeline.ts';
import { pduOf } from '../rooms/stored-event.ts';
import type { SearchMatch } from '../storage/stores/search-store.ts';
import type { EventRow } from '../storage/stores/timeline-store.ts';
import type { SearchContext } from './search-request.ts';
import type { SearchedRooms } from './searched-rooms.ts';

/** An event that was found. */
export interface Result {
  readonly match: SearchMatch;
  readonly row: EventRow;
  readonly source: SourceEvent;
}
interface RoomReader {
  readonly opened: OpenedForReading;
  readonly viewer: Viewer;
}

export class RoomReaders {
  readonly #ctx: RoomsContext;
  readonly #actor: Actor;
  readonly #rooms: SearchedRooms;
  readonly #readers = new Map<number, RoomReader>();

  constructor(ctx: RoomsContext, actor: Actor, rooms: SearchedRooms) {
    this.#ctx = ctx;
    this.#actor = actor;
    this.#rooms = rooms;
  }

  async resultsOf(results: readonly Result[], context: SearchContext | undefined): Promise<JsonObject[]> {
    const out: JsonObject[] = [];
    for (const { match, row } of results) {
      const reader = await this.#readerOf(match.room);
      const [event] = await clientEvents(this.#ctx, [row], reader.viewer);
      out.push({
        rank: match.rank,
        result: event,
        ...(context === undefined ? {} : { context: await this.#contextOf(reader, row, context) }),
      });
    }
    return out;
  }

  /** The current state of each room, or the one as of when the reader left. */
  async stateOf(results: readonly Result[]): Promise<JsonObject> {
    const state: [string, JsonObject[]][] = [];
    for (const room of new Set(results.map(({ match }) => match.room))) {
      const { opened, viewer: reader } = await this.#readerOf(room);
      const rows = await stateRows(this.#ctx, opened.dag, opened.pos, 'all');
      state.push([opened.dag.roomId, await clientEvents(this.#ctx, rows, reader)]);
    }
    return Object.fromEntries(state);
  }

  async #contextOf({ opened, viewer: reader }: RoomReader, row: EventRow, context: SearchContext): Promise<JsonObject> {
    const ord = row.ord ?? 0;
    const { before, after } = await eventsAround(this.#ctx, this.#actor, opened, ord, {
      before: Math.min(context.beforeLimit, limits.searchContextMax),
      after: Math.min(context.afterLimit, limits.searchContextMax),
    });
    const around = await clientEvents(this.#ctx, [...before, ...after], reader);
    const rows = [row, ...before, ...after];
    return {
      start: formatTimelineToken(before.at(-1)?.ord ?? ord),
      end: formatTimelineToken((after.at(-1)?.ord ?? ord) + 1),
      events_before: around.slice(0, before.length),
      events_after: around.slice(before.length),
      ...(context.includeProfile ? { profile_info: await this.#profilesOf(opened, rows, row.pos ?? opened.pos) } : {}),
    };
  }

  /** Of those who sent the events, as they were when the event that was found was sent. */
  async #profilesOf({ dag }: OpenedForReading, rows: readonly EventRow[], pos: number): Promise<JsonObject> {
    const userIds: UserId[] = await this.#ctx.names.userIds([...new Set(rows.map(({ sender }) => sender))]);
    const members = await memberRows(this.#ctx, dag, pos, userIds);
    return Object.fromEntries(
      members.map((member) => {
        const { state_key: userId, content } = pduOf(member) as { state_key: string; content: JsonObject };
        const fields = ['displayname', 'avatar_url'].flatMap((name) =>
          typeof content[name] === 'string' ? [[name, content[name]]] : [],
        );
        return [userId, Object.fromEntries(fields) as JsonObject];
      }),
    );
  }

  async #readerOf(room: number): Promise<RoomReader> {
    const known = this.#readers.get(room);
    if (known !== undefined) return known;
    const [dag, access] = [await this.#ctx.dags.openByNid(room), await this.#rooms.accessTo(room)];
    if (access === undefined) throw new Error('what was found is of a room that may be read');
    const opened = { dag, access, pos: access.statePos ?? this.#ctx.db.committedPos() };
    const reader = { opened, viewer: await viewer(this.#ctx, this.#actor, opened) };
    this.#readers.set(room, reader);
    return reader;
  }
}
