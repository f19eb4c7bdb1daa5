/**
 * What people have set for a room, given to the room that replaces it.
 * https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-18
 */
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../matrix/json/json-value.ts';
import { copyPushRulesToRoom } from '../matrix/push-rules/edit-push-rules.ts';
import { serialiseUserPushRules } from '../matrix/push-rules/user-push-rules.ts';
import { limits } from '../platform/limits.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { accountData, noRoom } from '../storage/stores/account-data-store.ts';
import { writeAccountData } from './account-data.ts';
import type { AccountsContext } from './context.ts';
import { loadPushRules, writePushRules } from './push-rules.ts';

interface Owner {
  readonly userId: UserId;
  readonly userNid: number;
}
interface RoomNames {
  readonly room: number;
  readonly roomId: RoomId;
}
type Context = Pick<AccountsContext, 'db' | 'locks'>;

/**
 * Tags, the entry in m.direct and push rules of `from` are given to `to` by what `work` gets: a part of a unit. Until `work` is
 * settled nobody else changes them, so it waits for the unit's commit.
 */
export async function withCopiedSettings(
  ctx: Context,
  user: Owner,
  from: RoomNames,
  to: RoomNames,
  work: (write: (unit: UnitBuilder) => void) => Promise<void>,
): Promise<void> {
  await ctx.locks.run(user.userNid, async () => {
    const parts = [
      await copiedTags(ctx, user, from, to),
      await copiedDirectChat(ctx, user, from, to),
      await copiedPushRules(ctx, user, from, to),
    ];
    await work((unit) => {
      for (const part of parts) part?.(unit);
    });
  });
}

type UnitPart = (unit: UnitBuilder) => void;

/** A tag that the new room has already stays as it is. */
async function copiedTags(ctx: Context, user: Owner, from: RoomNames, to: RoomNames): Promise<UnitPart | undefined> {
  const [before, present] = [await load(ctx, user, from.room, 'm.tag'), await load(ctx, user, to.room, 'm.tag')];
  const tags = objectIn(before?.['tags']);
  if (Object.keys(tags).length === 0) return undefined;
  const content = { ...present, tags: { ...tags, ...objectIn(present?.['tags']) } };
  return unitPart(user, to.room, 'm.tag', content);
}

/** Whoever the old room was a direct chat with, the new one is. */
async function copiedDirectChat(
  ctx: Context,
  user: Owner,
  from: RoomNames,
  to: RoomNames,
): Promise<UnitPart | undefined> {
  const direct = await load(ctx, user, noRoom, 'm.direct');
  if (direct === undefined) return undefined;
  const isMissing = (rooms: JsonValue | undefined): rooms is JsonValue[] =>
    Array.isArray(rooms) && rooms.includes(from.roomId) && !rooms.includes(to.roomId);
  const entries = Object.entries(direct);
  if (!entries.some(([, rooms]) => isMissing(rooms))) return undefined;
  const content = Object.fromEntries(
    entries.map(([userId, rooms]) => [userId, isMissing(rooms) ? [...rooms, to.roomId] : rooms]),
  );
  return unitPart(user, noRoom, 'm.direct', content);
}

async function copiedPushRules(
  ctx: Context,
  user: Owner,
  from: RoomNames,
  to: RoomNames,
): Promise<UnitPart | undefined> {
  const { changes } = await loadPushRules(ctx, user);
  const copied = copyPushRulesToRoom(changes, from.roomId, to.roomId);
  if (serialiseUserPushRules(copied) === serialiseUserPushRules(changes)) return undefined;
  return (unit) => writePushRules(unit, user.userNid, copied);
}

/** undefined for what has grown too large: the user keeps what is there. */
function unitPart({ userNid }: Owner, room: number, type: string, value: JsonObject): UnitPart | undefined {
  const content = JSON.stringify(value);
  if (Buffer.byteLength(content) > limits.accountDataBytesMax) return undefined;
  return (unit) => writeAccountData(unit, { userNid, room, type, content });
}

async function load(
  ctx: Context,
  { userNid: user }: Owner,
  room: number,
  type: string,
): Promise<JsonObject | undefined> {
  const json = (await ctx.db.one(accountData, { user, room, type }))?.json ?? undefined;
  return json === undefined ? undefined : (JSON.parse(json) as JsonObject);
}

const objectIn = (value: JsonValue | undefined): JsonObject => (isJsonObject(value) ? value : {});
