/** Push notifications, as endpoints and the composition root use them. */
import { KeyedLock } from '../platform/keyed-lock.ts';
import type { PushContext } from './context.ts';
import { listPushers, type Pusher, type PusherWish, removePusher, setPusher } from './pushers.ts';
import type { PusherKey } from '../storage/stores/pusher-store.ts';
import type { Requester } from '../accounts/requester.ts';

export interface Push {
  listPushers(requester: Pick<Requester, 'userNid'>): Promise<readonly Pusher[]>;
  setPusher(requester: Pick<Requester, 'userNid' | 'deviceNid'>, wish: PusherWish): Promise<void>;
  removePusher(requester: Pick<Requester, 'userNid'>, key: PusherKey): Promise<void>;
}

export type PushDependencies = Omit<PushContext, 'pusherLocks'>;

/** Made once, by the composition root. */
export function createPush(dependencies: PushDependencies): Push {
  const ctx: PushContext = { ...dependencies, pusherLocks: new KeyedLock() };
  return {
    listPushers: ({ userNid }) => listPushers(ctx, userNid),
    setPusher: (requester, wish) => setPusher(ctx, requester, wish),
    removePusher: ({ userNid }, key) => removePusher(ctx, userNid, key),
  };
}
