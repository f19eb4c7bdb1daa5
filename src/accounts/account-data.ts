/**
 * What users keep for their own clients, globally or about a room.
 * https://spec.matrix.org/v1.19/client-server-api/#client-config
 */
import { invalidParam, MatrixError, notFound, tooLarge } from '../matrix/errors.ts';
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { accountData, noRoom, setAccountData as setAccountDataRow } from '../storage/stores/account-data-store.ts';
import { roomById } from '../storage/stores/room-graph-store.ts';
import type { AccountsContext } from './context.ts';
import { ignoredUserListType } from './ignored-users.ts';
import { isInvitePermissionType } from './invite-permissions.ts';
import { loadPushRules } from './push-rules.ts';

/** Where a piece of account data belongs. `roomId` undefined: to no room. */
export interface AccountDataKey {
  readonly userNid: number;
  readonly userId: UserId;
  readonly roomId: RoomId | undefined;
  readonly type: string;
}

/** Throws 404 M_NOT_FOUND where there is none. */
export async function getAccountData(ctx: Pick<AccountsContext, 'db'>, key: AccountDataKey): Promise<JsonObject> {
  if (key.type === 'm.push_rules' && key.roomId === undefined)
    return { global: (await loadPushRules(ctx, key)).ruleset };
  const content = await findAccountData(ctx, key);
  if (content === undefined) throw notFound('Account data not found');
  return content;
}

/**
 * Throws 405 M_BAD_JSON for types that the server manages, 404 M_NOT_FOUND for a room that this server does not know, 400
 * M_INVALID_PARAM for a type that is too long, 413 M_TOO_LARGE.
 */
export async function setAccountData(
  ctx: Pick<AccountsContext, 'db' | 'locks'>,
  key: AccountDataKey,
  content: JsonObject,
): Promise<void> {
  assertNotManaged(key);
  await changeAccountData(ctx, key, () => content);
}

/**
 * What is not there is no error. Throws as `setAccountData`.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/3391 (MSC3391)
 */
export async function deleteAccountData(
  ctx: Pick<AccountsContext, 'db' | 'locks'>,
  key: AccountDataKey,
): Promise<void> {
  assertNotManaged(key);
  assertTypeFits(key);
  if ((await findAccountData(ctx, key)) !== undefined) await changeAccountData(ctx, key, () => ({}));
}

/** Replaces what is there by what `change` makes of it, one at a time per user; nothing in it: it is deleted (MSC3391). */
export async function changeAccountData(
  ctx: Pick<AccountsContext, 'db' | 'locks'>,
  key: AccountDataKey,
  change: (before: JsonObject | undefined) => JsonObject,
): Promise<void> {
  assertTypeFits(key);
  const room = await roomNumber(ctx, key.roomId);
  if (room === undefined) throw notFound('This server does not know the room');
  const { userNid, type } = key;
  await ctx.locks.run(userNid, async () => {
    const text = JSON.stringify(change(await load(ctx, userNid, room, type)));
    if (Buffer.byteLength(text) > limits.accountDataBytesMax)
      throw tooLarge(`Account data of one type has at most ${limits.accountDataBytesMax} bytes`);
    const content = text === '{}' ? null : text;
    await ctx.db.write((unit) => writeAccountData(unit, { userNid, room, type, content })).committed;
  });
}

/** Part of a unit. `content`: JSON text; null: deleted. */
export function writeAccountData(
  unit: UnitBuilder,
  data: { readonly userNid: number; readonly room: number; readonly type: string; readonly content: string | null },
): void {
  const { userNid, room, type, content } = data;
  const pos = unit.nextPos();
  unit.run(setAccountDataRow, { user: userNid, room, type, json: content, pos });
  if (room === noRoom && type === ignoredUserListType) unit.wake({ kind: 'ignored-users', userNid });
  if (room === noRoom && isInvitePermissionType(type)) unit.wake({ kind: 'invite-permission', userNid });
  unit.wake({ kind: 'account-data', userNid, room, pos });
}

export async function findAccountData(
  ctx: Pick<AccountsContext, 'db'>,
  { userNid, roomId, type }: Omit<AccountDataKey, 'userId'>,
): Promise<JsonObject | undefined> {
  const room = await roomNumber(ctx, roomId);
  return room === undefined ? undefined : load(ctx, userNid, room, type);
}

function assertNotManaged({ type }: AccountDataKey): void {
  if (managedTypes.has(type)) throw new MatrixError(405, 'M_BAD_JSON', `Cannot set ${type} through this API.`);
}

async function load(
  ctx: Pick<AccountsContext, 'db'>,
  user: number,
  room: number,
  type: string,
): Promise<JsonObject | undefined> {
  const json = (await ctx.db.one(accountData, { user, room, type }))?.json ?? undefined;
  return json === undefined ? undefined : (JSON.parse(json) as JsonObject);
}

async function roomNumber(ctx: Pick<AccountsContext, 'db'>, roomId: RoomId | undefined): Promise<number | undefined> {
  return roomId === undefined ? noRoom : (await ctx.db.one(roomById, { roomId }))?.room;
}

/** https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-12 */
const managedTypes: ReadonlySet<string> = new Set(['m.fully_read', 'm.push_rules']);

function assertTypeFits({ type }: AccountDataKey): void {
  if (Buffer.byteLength(type) > limits.idBytesMax) throw invalidParam(`A type has at most ${limits.idBytesMax} bytes`);
}
