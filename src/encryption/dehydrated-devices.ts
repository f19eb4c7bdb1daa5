/**
 * A device without a session that receives room keys for its user, until a login takes them over. To others it is a device like
 * any other. https://github.com/matrix-org/matrix-spec-proposals/pull/3814 (MSC3814)
 */
import { writeDeviceRemoval } from '../accounts/devices.ts';
import { badJson, forbidden, invalidParam, notFound, tooLarge } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { UniqueViolation, UnitFailed } from '../storage/database.ts';
import {
  dehydratedDevice,
  type DehydratedDeviceRow,
  setDehydratedDevice,
} from '../storage/stores/dehydrated-device-store.ts';
import { deviceOfUser, insertDevice } from '../storage/stores/device-store.ts';
import type { EncryptionContext } from './context.ts';
import { type KeyUploadRequest, parseKeyUpload } from './key-upload.ts';
import { draftKeyUpload, uploadKeys } from './upload-keys.ts';

export interface DehydratedDevice {
  readonly deviceId: string;
  readonly deviceData: JsonObject;
}
export interface DehydrationRequest extends DehydratedDevice {
  readonly displayName: string | undefined;
  readonly keys: KeyUploadRequest;
}
interface Owner {
  readonly userId: UserId;
  readonly userNid: number;
}
type Context = Pick<EncryptionContext, 'db' | 'locks' | 'keyCounts' | 'inboxes' | 'clock' | 'outgoingDevices'>;

/**
 * Takes the place of the user's dehydrated device with everything that it has; the same once more changes nothing, so that a
 * client can repeat itself. Throws 400 M_BAD_JSON or M_INVALID_PARAM, 413 M_TOO_LARGE.
 */
export async function putDehydratedDevice(ctx: Context, user: Owner, request: DehydrationRequest): Promise<void> {
  const { deviceId, displayName = null, keys } = request;
  const json = deviceDataText(request.deviceData);
  const upload = parseKeyUpload({ userId: user.userId, deviceId }, keys);
  const present = await ctx.db.one(dehydratedDevice, { user: user.userNid });
  if (present?.device_id === deviceId && present.json === json) {
    await uploadKeys(ctx, { ...user, deviceId, deviceNid: present.device_nid }, keys);
    return;
  }
  await ctx.locks.run(user.userNid, async () => {
    const device = ctx.db.nextId();
    const draft = await draftKeyUpload(ctx, { ...user, deviceId, deviceNid: device }, upload);
    const replaced = await rowsOf(ctx, user.userNid);
    const written = ctx.db.write((unit) => {
      writeDeviceRemoval(ctx, unit, user.userNid, replaced);
      const named = { user: user.userNid, deviceId, displayName, ts: ctx.clock.nowMs() };
      unit.run(insertDevice, { device, ...named, ip: null, userAgent: null });
      unit.wake({ kind: 'device', userNid: user.userNid, deviceId, pos: unit.nextPos(), change: 'added' });
      draft?.write(unit);
      unit.run(setDehydratedDevice, { user: user.userNid, device, json });
    });
    try {
      await written.committed;
    } catch (error) {
      const isTaken = error instanceof UnitFailed && error.cause instanceof UniqueViolation;
      throw isTaken ? invalidParam('Another device has this id') : error;
    }
  });
}

/** Throws 404 M_NOT_FOUND. */
export async function getDehydratedDevice(ctx: Pick<Context, 'db'>, { userNid }: Owner): Promise<DehydratedDevice> {
  const row = await find(ctx, userNid);
  return { deviceId: row.device_id, deviceData: JSON.parse(row.json) as JsonObject };
}

/** The id of the device that is no more. Throws 404 M_NOT_FOUND. */
export function deleteDehydratedDevice(ctx: Context, { userNid }: Owner): Promise<string> {
  return ctx.locks.run(userNid, async () => {
    const { device_id: deviceId } = await find(ctx, userNid);
    const devices = await rowsOf(ctx, userNid);
    await ctx.db.write((unit) => writeDeviceRemoval(ctx, unit, userNid, devices)).committed;
    return deviceId;
  });
}

export interface DehydratedEvents {
  /** JSON texts, in the order of arrival. */
  readonly events: readonly string[];
  /** From where the next page goes on. */
  readonly next: string;
  readonly hasMore: boolean;
}

/**
 * What was sent to the dehydrated device, page by page; all of it stays until the device goes, because whoever reads it may not
 * get to the end. Throws 403 M_FORBIDDEN when it is not the user's dehydrated device, 400 M_INVALID_PARAM (`from`).
 */
export async function readDehydratedEvents(
  ctx: Pick<Context, 'db' | 'inboxes'>,
  { userNid }: Owner,
  deviceId: string,
  from: string | undefined,
): Promise<DehydratedEvents> {
  const after = from === undefined ? 0 : /^\d{1,15}$/.test(from) ? Number(from) : undefined;
  if (after === undefined) throw invalidParam('from is not a token of this server');
  const row = await ctx.db.one(dehydratedDevice, { user: userNid });
  if (row?.device_id !== deviceId) throw forbidden('This is not your dehydrated device');
  const range = { after, upTo: Math.max(after, ctx.db.committedPos()), limit: limits.toDeviceMessagesPerPageMax };
  const { events, pos, hasMore } = await ctx.inboxes.read(row.device_nid, range);
  return { events, next: String(pos), hasMore };
}

async function find({ db }: Pick<Context, 'db'>, user: number): Promise<DehydratedDeviceRow> {
  const row = await db.one(dehydratedDevice, { user });
  if (row === undefined) throw notFound('There is no dehydrated device');
  return row;
}

/** The user's dehydrated device among the devices; empty: there is none. */
async function rowsOf({ db }: Pick<Context, 'db'>, user: number) {
  const row = await db.one(dehydratedDevice, { user });
  const device = row && (await db.one(deviceOfUser, { user, deviceId: row.device_id }));
  return device === undefined ? [] : [device];
}

function deviceDataText(deviceData: JsonObject): string {
  if (typeof deviceData['algorithm'] !== 'string') throw badJson('device_data must name its algorithm');
  const text = JSON.stringify(deviceData);
  if (Buffer.byteLength(text) > limits.dehydratedDeviceBytesMax)
    throw tooLarge(`device_data has at most ${limits.dehydratedDeviceBytesMax} bytes`);
  return text;
}
