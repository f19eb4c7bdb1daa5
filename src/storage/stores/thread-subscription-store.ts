/** Which threads people follow: table thread_subscription. MSC4306. */
import { bigint, defineRead, defineWrite } from '../query.ts';

/** `none`: the user has unsubscribed. */
export type ThreadSubscriptionState = 'manual' | 'automatic' | 'none';

export interface ThreadSubscriptionRow {
  readonly state: string;
  /** Of the last change. */
  readonly pos: number;
}

export const threadSubscription = defineRead<{ user: number; room: number; rootId: string }, ThreadSubscriptionRow>(
  'threadSubscription.find',
  (q, p) =>
    q
      .selectFrom('thread_subscription')
      .select(['state', 'pos'])
      .where('room', '=', p.room)
      .where('root_id', '=', p.rootId)
      .where('user_nid', '=', p.user),
);

/** Those who follow a thread. */
export const threadSubscribers = defineRead<{ room: number; rootId: string }, { user_nid: number }>(
  'threadSubscription.subscribers',
  (q, p) =>
    q
      .selectFrom('thread_subscription')
      .select('user_nid')
      .where('room', '=', p.room)
      .where('root_id', '=', p.rootId)
      .where('state', '<>', 'none'),
);

/** The newest first, of all rooms: what changed above `after` and not above `upTo`. */
export const threadSubscriptionsBackwards = defineRead<
  { user: number; after: number; upTo: number; limit: number },
  ThreadSubscriptionRow & { readonly room_id: string; readonly root_id: string }
>('threadSubscription.backwards', (q, p) =>
  q
    .selectFrom('thread_subscription as s')
    .innerJoin('room as r', 'r.room', 's.room')
    .select(['r.room_id', 's.root_id', 's.state', 's.pos'])
    .where('s.user_nid', '=', p.user)
    .where('s.pos', '>', p.after)
    .where('s.pos', '<=', p.upTo)
    .orderBy('s.pos', 'desc')
    .limit(bigint(p.limit)),
);

export const setThreadSubscription = defineWrite<{
  user: number;
  room: number;
  rootId: string;
  state: string;
  pos: number;
}>('threadSubscription.set', (q, p) =>
  q
    .insertInto('thread_subscription')
    .values({ user_nid: p.user, room: p.room, root_id: p.rootId, state: p.state, pos: p.pos })
    .onConflict((conflict) =>
      conflict
        .columns(['room', 'root_id', 'user_nid'])
        .doUpdateSet((e) => ({ state: e.ref('excluded.state'), pos: e.ref('excluded.pos') })),
    ),
);

/** Changes nothing where the user follows the thread already, or has unsubscribed at `causePos` or later. */
export const subscribeAutomatically = defineWrite<{
  user: number;
  room: number;
  rootId: string;
  causePos: number;
  pos: number;
}>('threadSubscription.automatic', (q, p) =>
  q
    .insertInto('thread_subscription')
    .values({ user_nid: p.user, room: p.room, root_id: p.rootId, state: 'automatic', pos: p.pos })
    .onConflict((conflict) =>
      conflict
        .columns(['room', 'root_id', 'user_nid'])
        .doUpdateSet((e) => ({ state: e.ref('excluded.state'), pos: e.ref('excluded.pos') }))
        .where('thread_subscription.state', '=', 'none')
        .where('thread_subscription.pos', '<', p.causePos),
    ),
);

export const deleteThreadSubscriptions = defineWrite<{ user: number }>('threadSubscription.delete', (q, p) =>
  q.deleteFrom('thread_subscription').where('user_nid', '=', p.user),
);
