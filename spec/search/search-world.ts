/** Rooms with a search index that follows them. */
import { onTestFinished } from 'vitest';
import { parseRoomEventFilter } from '../../src/matrix/filters/event-filter.ts';
import type { EventId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import type { Actor } from '../../src/rooms/context.ts';
import { type Search, createSearch } from '../../src/search/index.ts';
import type { EventSearch } from '../../src/search/search-request.ts';
import type { Database } from '../../src/storage/database.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, TestRooms, asSent } from '../support/test-rooms.ts';

export interface SearchAnswer {
  readonly count: number;
  readonly highlights: readonly string[];
  readonly results: readonly {
    readonly rank: number;
    readonly result: ClientEvent;
    readonly context?: {
      readonly start: string;
      readonly end: string;
      readonly events_before: readonly ClientEvent[];
      readonly events_after: readonly ClientEvent[];
      readonly profile_info?: JsonObject;
    };
  }[];
  readonly state?: Readonly<Record<string, readonly ClientEvent[]>>;
  readonly groups?: Readonly<
    Record<string, Readonly<Record<string, { results: EventId[]; order: number; next_batch?: string }>>>
  >;
  readonly next_batch?: string;
}

export type SearchTestRequest = Partial<Omit<EventSearch, 'filter'>> & { readonly filter?: JsonObject };

export class SearchWorld {
  readonly test: TestRooms;
  readonly search: Search;

  constructor(db: Database, test: TestRooms = new TestRooms(db, testPorts(1))) {
    this.test = test;
    this.search = createSearch(test.ctx, {
      findsAllUsers: false,
      searchesEvents: true,
      timers: systemTimers,
      onFailed: (error) => {
        throw error;
      },
    });
    onTestFinished(() => this.search.close());
  }

  async find(actor: Actor, term: string, request: SearchTestRequest = {}): Promise<SearchAnswer> {
    await this.search.settled();
    const { filter, ...others } = request;
    const answer = await this.search.events(actor, {
      term,
      keys: ['content.body', 'content.name', 'content.topic'],
      orderBy: 'recent',
      context: undefined,
      includeState: false,
      groupBy: [],
      nextBatch: undefined,
      ...others,
      filter: filter && parseRoomEventFilter(filter, 'filter'),
    });
    return asSent<SearchAnswer>(answer);
  }

  /** The ids of what is found. */
  async ids(actor: Actor, term: string, request: SearchTestRequest = {}): Promise<EventId[]> {
    return (await this.find(actor, term, request)).results.map(({ result }) => result.event_id);
  }
}
