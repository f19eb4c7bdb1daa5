/** Tags of rooms, kept as the room's account data of type m.tag. https://spec.matrix.org/v1.19/client-server-api/#room-tagging */
import { badJson, invalidParam } from '../matrix/errors.ts';
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { changeAccountData, findAccountData } from './account-data.ts';
import type { AccountsContext } from './context.ts';

/** A user's view of a room. */
export interface TaggedRoom {
  readonly userNid: number;
  readonly userId: UserId;
  readonly roomId: RoomId;
}

/** By name; {} where there are none. */
export async function getTags(ctx: Pick<AccountsContext, 'db'>, room: TaggedRoom): Promise<JsonObject> {
  return tagsOf(await findAccountData(ctx, { ...room, type: 'm.tag' }));
}

/** Throws 400 M_INVALID_PARAM for a name that is too long, M_BAD_JSON for an order that is no number; as `changeAccountData`. */
export async function setTag(
  ctx: Pick<AccountsContext, 'db' | 'locks'>,
  room: TaggedRoom,
  name: string,
  tag: JsonObject,
): Promise<void> {
  if (Buffer.byteLength(name) > limits.tagBytesMax) throw invalidParam(`A tag has at most ${limits.tagBytesMax} bytes`);
  const { order } = tag;
  if (order !== undefined && order !== null && typeof order !== 'number') throw badJson('order must be a number');
  await changeTags(ctx, room, (tags) => ({ ...tags, [name]: tag }));
}

/** A tag that is not there is no error. */
export async function removeTag(
  ctx: Pick<AccountsContext, 'db' | 'locks'>,
  room: TaggedRoom,
  name: string,
): Promise<void> {
  if (!Object.hasOwn(await getTags(ctx, room), name)) return;
  await changeTags(ctx, room, (tags) => Object.fromEntries(Object.entries(tags).filter(([other]) => other !== name)));
}

async function changeTags(
  ctx: Pick<AccountsContext, 'db' | 'locks'>,
  room: TaggedRoom,
  change: (tags: JsonObject) => JsonObject,
): Promise<void> {
  const key = { ...room, type: 'm.tag' };
  await changeAccountData(ctx, key, (before) => ({ ...before, tags: change(tagsOf(before)) }));
}

function tagsOf(content: JsonObject | undefined): JsonObject {
  const tags = content?.['tags'];
  return isJsonObject(tags) ? tags : {};
}
