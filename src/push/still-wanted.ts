import { limits } from '../platform/limits.ts';
import { userRoom } from '../storage/stores/membership-store.ts';
import type { PushContext } from './context.ts';
import type { PushableEvent, PushableEvents } from './notification.ts';
import type { PushUser } from './push-user.ts';
import type { PendingPush } from './queue.ts';

type Context = Pick<PushContext, 'clock' | 'rooms' | 'db' | 'unread'>;

/** What somebody is still to be told of: only if it can still be seen, was not read meanwhile, and is not too old. */
export async function findWanted(
  { clock, rooms, db, unread }: Context,
  events: PushableEvents,
  user: PushUser,
  push: PendingPush,
): Promise<PushableEvent | undefined> {
  if (push.tsMs < clock.nowMs() - limits.pushAgeMs) return undefined;
  const pushable = await events.find(push.nid);
  if (pushable === undefined) return undefined;
  if (!user.rooms.has(push.room)) {
    const standing = await db.one(userRoom, { user: user.userNid, room: push.room });
    const isInvited = standing?.membership === 'invite' && standing.event === push.nid;
    if (!isInvited) return undefined;
  } else if ((await unread.readOrds(user, push.room))(pushable.thread) >= pushable.ord) return undefined;
  return (await rooms.ignored.of(user)).has(pushable.event.sender) ? undefined : pushable;
}
