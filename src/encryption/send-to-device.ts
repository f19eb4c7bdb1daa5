/** Messages between devices, outside of rooms. https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging */
import { invalidParam } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { UniqueViolation, UnitFailed } from '../storage/database.ts';
import { devicesOfUsers } from '../storage/stores/device-store.ts';
import { insertTransaction, toDevicePath } from '../storage/stores/txn-store.ts';
import type { EncryptionContext } from './context.ts';
import type { AddressedDevice } from './device-inboxes.ts';
import { directToDevice, directToDeviceEdus } from './direct-to-device.ts';
import { splitByServer } from './remote-users.ts';
import { eventText, type Recipient } from './to-device-message.ts';

export interface ToDeviceRequest {
  readonly type: string;
  /** By user and device; the device `*` stands for all that have no message of their own. */
  readonly messages: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
  readonly txnId: string;
}
type Sending = Pick<EncryptionContext, 'db' | 'names' | 'localServers' | 'inboxes' | 'clock' | 'random' | 'edus'>;
interface Sender {
  readonly userId: UserId;
  readonly deviceNid: number;
}

/**
 * Resolves when the messages are on disk; a transaction of the same device that happened already adds none. Unknown users and
 * devices are left out. Throws 400 M_INVALID_PARAM for what is no user id and for too many messages, 413 M_TOO_LARGE.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid
 */
export async function sendToDevice(ctx: Sending, sender: Sender, request: ToDeviceRequest): Promise<void> {
  const recipients = recipientsOf(request);
  const { local, remote } = splitByServer(
    ctx,
    recipients.map((recipient) => [recipient.userId, recipient] as const),
  );
  const ofUs = local.map(([, recipient]) => recipient);
  const messages = await addressed(ctx, sender.userId, request.type, ofUs);
  const edus = await directToDeviceEdus(ctx, sender.userId, request.type, remote);
  const devices = messages.flatMap((message) => message.devices);
  if (devices.length > limits.toDeviceMessagesPerRequestMax) throw tooManyMessages();
  await ctx.inboxes.prepare(devices.map(({ deviceNid }) => deviceNid));
  const { txnId: txn, type } = request;
  const sent = ctx.db.write((unit) => {
    const ts = ctx.clock.nowMs();
    unit.run(insertTransaction, { device: sender.deviceNid, path: toDevicePath + type, txn, nid: null, ts });
    for (const { serverNid, content } of edus) ctx.edus.enqueue(unit, [serverNid], { type: directToDevice, content });
    if (messages.length === 0) return;
    const pos = unit.nextPos();
    for (const message of messages) ctx.inboxes.write(unit, pos, message.devices, message.json);
  });
  try {
    await sent.committed;
  } catch (error) {
    // The transaction is there: its messages are, too.
    if (!(error instanceof UnitFailed && error.cause instanceof UniqueViolation)) throw error;
  }
}

function recipientsOf({ messages }: ToDeviceRequest): readonly Recipient[] {
  let count = 0;
  return Object.entries(messages).map(([userId, contents]) => {
    if (!isUserId(userId)) throw invalidParam(`${userId} is not a user id`);
    const contentOf = new Map(Object.entries(contents));
    count += contentOf.size;
    if (count > limits.toDeviceMessagesPerRequestMax) throw tooManyMessages();
    return { userId, contentOf };
  });
}

export interface AddressedMessage {
  readonly devices: readonly AddressedDevice[];
  /** The event as devices get it. */
  readonly json: string;
}

/** What is for devices that there are. Throws 413 M_TOO_LARGE. */
export async function addressed(
  { db, names }: Pick<EncryptionContext, 'db' | 'names'>,
  sender: UserId,
  type: string,
  recipients: readonly Recipient[],
): Promise<readonly AddressedMessage[]> {
  const jsonOf = new Map<JsonObject, string>();
  for (const { contentOf } of recipients)
    for (const content of contentOf.values()) jsonOf.set(content, eventText(sender, type, content));
  const nids = await names.findUserNids(recipients.map(({ userId }) => userId));
  const contentsOf = new Map(recipients.map(({ contentOf }, index) => [nids[index], contentOf]));
  const users = nids.filter((nid) => nid !== undefined);
  const devicesOf = new Map<JsonObject, AddressedDevice[]>();
  for (const row of users.length === 0 ? [] : await db.all(devicesOfUsers, { users })) {
    const contents = contentsOf.get(row.user_nid);
    const content = contents?.get(row.device_id) ?? contents?.get(everyDevice);
    if (content === undefined) continue;
    const device = { userNid: row.user_nid, deviceNid: row.device_nid };
    const devices = devicesOf.get(content);
    if (devices === undefined) devicesOf.set(content, [device]);
    else devices.push(device);
  }
  return Array.from(devicesOf, ([content, devices]) => ({ devices, json: jsonOf.get(content) ?? '' }));
}

const everyDevice = '*';
const tooManyMessages = () =>
  invalidParam(`A request has messages for at most ${limits.toDeviceMessagesPerRequestMax} devices`);
