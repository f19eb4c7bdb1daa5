/** What goes to a device and its user whatever the rooms: messages, the state of keys, and followed threads. */
import { limits } from '../../platform/limits.ts';
import { threadSubscriptionChanges } from '../../rooms/thread-subscriptions.ts';
import { deviceKeysText, deviceListsText } from '../device-keys-text.ts';
import type { SlidingPass } from './sliding-pass.ts';

export interface DeviceNews {
  /** Members of `extensions`, as JSON text. */
  readonly texts: readonly string[];
  readonly isEmpty: boolean;
}

/** To be called before the first pass of a request: what the device says it has is not told again. */
export async function acknowledgeMessages({ ctx, request }: Pick<SlidingPass, 'ctx' | 'request'>): Promise<void> {
  const since = request.extensions.toDevice?.since;
  // A token from the future is of a database that is no more.
  if (since === undefined || since > ctx.sync.rooms.db.committedPos()) return;
  await ctx.sync.inboxes.acknowledge(request.requester.deviceNid, since);
}

export async function deviceNews(pass: SlidingPass): Promise<DeviceNews> {
  const parts = [await toDevice(pass), await e2ee(pass), await threads(pass)].filter((part) => part !== undefined);
  return { texts: parts.map(({ text }) => text), isEmpty: parts.every(({ isEmpty }) => isEmpty) };
}

interface Part {
  readonly text: string;
  readonly isEmpty: boolean;
}

/** https://github.com/matrix-org/matrix-spec-proposals/pull/3885 */
async function toDevice({ ctx, request, now }: SlidingPass): Promise<Part | undefined> {
  const { toDevice: wish } = request.extensions;
  if (wish === undefined) return undefined;
  const after = wish.since === undefined || wish.since > now ? -1 : wish.since;
  const limit = Math.min(wish.limit, limits.toDeviceMessagesPerPageMax);
  const { events, pos } = await ctx.sync.inboxes.read(request.requester.deviceNid, { after, upTo: now, limit });
  return { text: `"to_device":{"next_batch":"${pos}","events":[${events.join()}]}`, isEmpty: events.length === 0 };
}

/** https://github.com/matrix-org/matrix-spec-proposals/pull/3884 Of what changed before a connection began it says nothing, as /sync does. */
async function e2ee({ ctx, request, user, since, now }: SlidingPass): Promise<Part | undefined> {
  if (request.extensions.e2ee !== true) return undefined;
  const lists = since < 0 ? '' : deviceListsText(await ctx.sync.deviceLists.newsOf(user, { since, until: now }));
  const { deviceNid } = request.requester;
  const keys = deviceKeysText(await ctx.sync.keyCounts.of(deviceNid));
  const isEmpty = lists === '' && !user.hasKeysClaimedAfter(deviceNid, since);
  return { text: `"e2ee":{${(lists + keys).slice(1)}}`, isEmpty };
}

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4308 */
async function threads({ ctx, request, user, since, now }: SlidingPass): Promise<Part | undefined> {
  const { threads: wish } = request.extensions;
  if (wish === undefined) return undefined;
  const range = { after: since, upTo: now, limit: wish.limit };
  const { subscribed, unsubscribed, end } = await threadSubscriptionChanges(ctx.sync.rooms, user.userNid, range);
  const told = {
    ...(isNothing(subscribed) ? {} : { subscribed }),
    ...(isNothing(unsubscribed) ? {} : { unsubscribed }),
    ...(end === undefined ? {} : { prev_batch: end }),
  };
  return isNothing(told) ? undefined : { text: `${JSON.stringify(wish.name)}:${JSON.stringify(told)}`, isEmpty: false };
}

const isNothing = (value: object): boolean => Object.keys(value).length === 0;
