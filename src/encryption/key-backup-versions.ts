/** Versions of a user's key backup. https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups */
import { invalidParam, notFound, tooLarge } from '../matrix/errors.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import {
  deleteBackedUpKeys,
  insertKeyBackup,
  keyBackup,
  type KeyBackupRow,
  keyBackupsOfUser,
  markKeyBackupDeleted,
  setKeyBackupAuthData,
} from '../storage/stores/key-backup-store.ts';
import type { EncryptionContext } from './context.ts';

export interface KeyBackupDefinition {
  readonly algorithm: string;
  readonly authData: JsonObject;
}
/** Response body of `GET /room_keys/version`. */
export interface KeyBackupInfo extends JsonObject {
  readonly algorithm: string;
  readonly auth_data: JsonObject;
  readonly count: number;
  readonly etag: string;
  readonly version: string;
}

type Context = Pick<EncryptionContext, 'db' | 'locks'>;

/** The new version. Throws 413 M_TOO_LARGE, also when the user has too many backups. */
export function createKeyBackup(ctx: Context, userNid: number, backup: KeyBackupDefinition): Promise<string> {
  return ctx.locks.run(userNid, async () => {
    const authData = authDataText(backup.authData);
    const rows = await ctx.db.all(keyBackupsOfUser, { user: userNid });
    if (rows.filter(({ deleted }) => deleted === 0).length >= limits.keyBackupsMax)
      throw tooLarge(`There can be ${limits.keyBackupsMax} backups: delete one first`);
    const version = (rows[0]?.version ?? 0) + 1;
    const { algorithm } = backup;
    await ctx.db.write((unit) => unit.run(insertKeyBackup, { user: userNid, version, algorithm, authData })).committed;
    return String(version);
  });
}

/** `version` undefined: the newest. Throws 404 M_NOT_FOUND. */
export async function getKeyBackup(ctx: Context, userNid: number, version?: string): Promise<KeyBackupInfo> {
  const number = version === undefined ? (await currentVersion(ctx, userNid)).current : numberOf(version);
  if (number === undefined) throw noBackup();
  const row = await standingBackup(ctx, userNid, number);
  return {
    algorithm: row.algorithm,
    auth_data: JSON.parse(row.auth_data) as JsonObject,
    count: row.keys,
    etag: String(row.etag),
    version: String(row.version),
  };
}

/**
 * Replaces `auth_data`. `versionInBody`, if given, must be the version. Throws 404 M_NOT_FOUND, 400 M_INVALID_PARAM for another
 * algorithm or version, 413 M_TOO_LARGE.
 */
export function updateKeyBackup(
  ctx: Context,
  userNid: number,
  version: string,
  backup: KeyBackupDefinition & { readonly versionInBody: string | undefined },
): Promise<void> {
  return ctx.locks.run(userNid, async () => {
    const authData = authDataText(backup.authData);
    const row = await standingBackup(ctx, userNid, numberOf(version));
    if (row.algorithm !== backup.algorithm) throw invalidParam('The algorithm of a backup cannot be changed');
    if (backup.versionInBody !== undefined && backup.versionInBody !== version)
      throw invalidParam('The body is about another version than the path');
    await ctx.db.write((unit) => unit.run(setKeyBackupAuthData, { user: userNid, version: row.version, authData }))
      .committed;
  });
}

/** With all its keys. One that was deleted already is no error. Throws 404 M_NOT_FOUND where there never was one. */
export function deleteKeyBackup(ctx: Context, userNid: number, version: string): Promise<void> {
  return ctx.locks.run(userNid, async () => {
    const row = await findBackup(ctx, userNid, numberOf(version));
    if (row === undefined) throw noBackup();
    if (row.deleted === 1) return;
    await ctx.db.write((unit) => {
      unit.run(deleteBackedUpKeys, { user: userNid, version: row.version });
      unit.run(markKeyBackupDeleted, { user: userNid, version: row.version });
    }).committed;
  });
}

/** Throws 404 M_NOT_FOUND, also for one that was deleted. */
export async function standingBackup(
  ctx: Pick<EncryptionContext, 'db'>,
  userNid: number,
  version: number | undefined,
): Promise<KeyBackupRow> {
  const row = await findBackup(ctx, userNid, version);
  if (row === undefined || row.deleted === 1) throw noBackup();
  return row;
}

/** `known`: every version that there was, deleted ones included. */
export async function currentVersion(
  { db }: Pick<EncryptionContext, 'db'>,
  userNid: number,
): Promise<{ readonly current: number | undefined; readonly known: ReadonlySet<number> }> {
  const rows = await db.all(keyBackupsOfUser, { user: userNid });
  const current = rows.find(({ deleted }) => deleted === 0)?.version;
  return { current, known: new Set(rows.map(({ version }) => version)) };
}

/** undefined: no version can be called so. */
export function numberOf(version: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(version) ? Number(version) : undefined;
}

export const noBackup = () => notFound('There is no such backup');

async function findBackup(
  { db }: Pick<EncryptionContext, 'db'>,
  user: number,
  version: number | undefined,
): Promise<KeyBackupRow | undefined> {
  return version === undefined ? undefined : db.one(keyBackup, { user, version });
}

function authDataText(authData: JsonObject): string {
  const text = JSON.stringify(authData);
  if (Buffer.byteLength(text) > limits.keyBackupAuthDataBytesMax)
    throw tooLarge(`auth_data has at most ${limits.keyBackupAuthDataBytesMax} bytes`);
  return text;
}
