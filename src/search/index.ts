/** Finding people and what they said, as endpoints use it. */
import { forbidden } from '../matrix/errors.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { Timers } from '../platform/ports.ts';
import type { Actor, RoomsContext } from '../rooms/context.ts';
import { StreamFollower } from '../rooms/stream-follower.ts';
import { IndexWriter } from './index-writer.ts';
import { searchEvents } from './search-events.ts';
import type { EventSearch } from './search-request.ts';
import { type FoundUsers, type UserSearch, searchUsers } from './search-users.ts';

export type Search = ReturnType<typeof createSearch>;
export interface SearchOptions {
  /** Everybody finds all users of this server. */
  readonly findsAllUsers: boolean;
  /** Whether messages are indexed and can be searched. */
  readonly searchesEvents: boolean;
  readonly timers: Timers;
  /** Told of failures to write the index, which is tried again. */
  readonly onFailed: (error: unknown) => void;
}

export function createSearch(ctx: RoomsContext, options: SearchOptions) {
  const directory = { db: ctx.db, findsAll: options.findsAllUsers };
  const follower = options.searchesEvents ? new StreamFollower(ctx.db, new IndexWriter(ctx), options) : undefined;
  return {
    users: (actor: Pick<Actor, 'userNid'>, search: UserSearch): Promise<FoundUsers> =>
      searchUsers(directory, actor, search),
    /** Throws M_FORBIDDEN where the operator has switched it off, and as `searchEvents`. */
    async events(actor: Actor, request: EventSearch): Promise<JsonObject> {
      if (follower === undefined) throw forbidden('This server does not search messages');
      // Whoever has just said something finds it.
      await follower.caughtUp();
      return searchEvents(ctx, actor, request);
    },
    /** Resolves when everything that is committed is indexed. */
    async settled(): Promise<void> {
      await follower?.settled();
    },
    async close(): Promise<void> {
      await follower?.close();
    },
  };
}
