/** Messages of users of other servers to devices of ours. https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging */
import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import { isUserId, serverNameOf } from '../matrix/ids/user-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../matrix/json/json-value.ts';
import { isRawNumber } from '../matrix/json/raw-number.ts';
import { limits } from '../platform/limits.ts';
import { UniqueViolation, UnitFailed } from '../storage/database.ts';
import { dropReceivedMessages, insertReceivedMessage } from '../storage/stores/received-to-device-store.ts';
import type { EncryptionContext } from './context.ts';
import { addressed, type AddressedMessage } from './send-to-device.ts';
import { fitsDevice, type Recipient } from './to-device-message.ts';

type Receiving = Pick<EncryptionContext, 'db' | 'names' | 'localServers' | 'inboxes' | 'clock'>;

/**
 * Contents of m.direct_to_device, with exact numbers, in their order. Resolves when the messages are on disk; what is not of a user
 * of the origin, not for somebody here, malformed or too large is left out, and so is what came before.
 */
export async function receiveToDevice(
  ctx: Receiving,
  origin: ServerName,
  contents: readonly JsonObject[],
): Promise<void> {
  const wanted = contents.flatMap((content) => readContent(ctx, origin, content));
  if (wanted.length === 0) return;
  const [server] = await ctx.names.serverNids([origin]);
  const messages: (readonly [messageId: string, addressed: readonly AddressedMessage[]])[] = [];
  for (const { sender, type, messageId, recipients } of wanted)
    messages.push([messageId, await addressed(ctx, sender, type, recipients)]);
  const devices = messages.flatMap(([, some]) => some.flatMap((message) => message.devices));
  await ctx.inboxes.prepare(devices.map(({ deviceNid }) => deviceNid));
  await Promise.all(messages.map(([messageId, some]) => store(ctx, server!, messageId, some)));
}

/** Without an await before the write, so that messages come in their order. */
async function store(
  ctx: Receiving,
  server: number,
  messageId: string,
  messages: readonly AddressedMessage[],
): Promise<void> {
  const written = ctx.db.write((unit) => {
    const ts = ctx.clock.nowMs();
    unit.run(insertReceivedMessage, { server, messageId, ts });
    unit.run(dropReceivedMessages, { server, before: ts - limits.receivedToDeviceMs });
    if (messages.length === 0) return;
    const pos = unit.nextPos();
    for (const { devices, json } of messages) ctx.inboxes.write(unit, pos, devices, json);
  });
  try {
    await written.committed;
  } catch (error) {
    // It came before.
    if (!(error instanceof UnitFailed && error.cause instanceof UniqueViolation)) throw error;
  }
}

interface ReceivedMessages {
  readonly sender: UserId;
  readonly type: string;
  readonly messageId: string;
  readonly recipients: readonly Recipient[];
}

function readContent(ctx: Receiving, origin: ServerName, content: JsonObject): ReceivedMessages[] {
  const { sender, type, message_id: messageId, messages } = content;
  if (!isUserId(sender) || serverNameOf(sender) !== origin || !isShort(type) || !isShort(messageId)) return [];
  if (!isJsonObject(messages)) return [];
  let count = 0;
  const recipients: Recipient[] = [];
  for (const [userId, byDevice] of Object.entries(messages)) {
    if (!isUserId(userId) || !ctx.localServers.isLocal(serverNameOf(userId)) || !isJsonObject(byDevice)) continue;
    const contentOf = new Map<string, JsonObject>();
    for (const [deviceId, message] of Object.entries(byDevice)) {
      if (!isJsonObject(message) || isRawNumber(message) || ++count > limits.toDeviceMessagesPerRequestMax) continue;
      if (fitsDevice(sender, type, message)) contentOf.set(deviceId, message);
    }
    recipients.push({ userId, contentOf });
  }
  return [{ sender, type, messageId, recipients }];
}

const isShort = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value.length > 0 && Buffer.byteLength(value) <= 255;
