/** Push notifications, as endpoints and the composition root use them. */
import type { Requester } from '../accounts/requester.ts';
import { KeyedLock } from '../platform/keyed-lock.ts';
import type { PusherKey } from '../storage/stores/pusher-store.ts';
import type { PushContext } from './context.ts';
import { PushGateway } from './gateway/push-gateway.ts';
import { listNotifications, type NotificationsPage, type NotificationsRequest } from './notifications.ts';
import { PushWorker } from './push-worker.ts';
import { listPushers, type Pusher, type PusherWish, removePusher, setPusher } from './pushers.ts';

export interface Push {
  listPushers(requester: Pick<Requester, 'userNid'>): Promise<readonly Pusher[]>;
  setPusher(requester: Pick<Requester, 'userNid' | 'deviceNid'>, wish: PusherWish): Promise<void>;
  removePusher(requester: Pick<Requester, 'userNid'>, key: PusherKey): Promise<void>;
  listNotifications(
    requester: Pick<Requester, 'userId' | 'userNid' | 'deviceNid'>,
    request: NotificationsRequest,
  ): Promise<NotificationsPage>;
  readonly gateway: Pick<PushGateway, 'notify' | 'publicKey'>;
  /** Begins to follow the stream of events. To be called once. */
  start(): void;
  /** Resolves when everything that was committed has been looked at; not when all is sent. */
  lookedAtAll(): Promise<void>;
  close(): Promise<void>;
}

export type PushDependencies = Omit<PushContext, 'pusherLocks' | 'db'>;

/** Made once, by the composition root. */
export function createPush(dependencies: PushDependencies): Push {
  const ctx: PushContext = { ...dependencies, db: dependencies.rooms.db, pusherLocks: new KeyedLock() };
  const gateway = new PushGateway(ctx);
  const worker = new PushWorker(ctx, gateway);
  return {
    listPushers: ({ userNid }) => listPushers(ctx, userNid),
    setPusher: (requester, wish) => setPusher(ctx, requester, wish),
    removePusher: ({ userNid }, key) => removePusher(ctx, userNid, key),
    listNotifications: (requester, request) => listNotifications(ctx, requester, request),
    gateway,
    start: () => worker.start(),
    lookedAtAll: () => worker.lookedAtAll(),
    close: () => worker.close(),
  };
}
