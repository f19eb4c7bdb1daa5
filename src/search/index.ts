/** Finding people and what they said, as endpoints use it. */
import type { Actor, RoomsContext } from '../rooms/context.ts';
import { type FoundUsers, type UserSearch, searchUsers } from './search-users.ts';

export type Search = ReturnType<typeof createSearch>;
export interface SearchOptions {
  /** Everybody finds all users of this server. */
  readonly findsAllUsers: boolean;
}

export function createSearch(ctx: RoomsContext, options: SearchOptions) {
  const directory = { db: ctx.db, findsAll: options.findsAllUsers };
  return {
    users: (actor: Pick<Actor, 'userNid'>, search: UserSearch): Promise<FoundUsers> =>
      searchUsers(directory, actor, search),
  };
}
