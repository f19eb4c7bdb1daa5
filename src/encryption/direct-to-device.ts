/** Messages to devices of users of other servers. https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging */
import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { EncryptionContext } from './context.ts';
import { eventText, type Recipient } from './to-device-message.ts';

export const directToDevice = 'm.direct_to_device';

export interface DirectToDeviceEdu {
  readonly serverNid: number;
  readonly content: JsonObject;
}

/** One EDU for each server, and more where there is much to say. Throws 413 M_TOO_LARGE. */
export async function directToDeviceEdus(
  ctx: Pick<EncryptionContext, 'names' | 'random'>,
  sender: UserId,
  type: string,
  remote: ReadonlyMap<ServerName, readonly (readonly [UserId, Recipient])[]>,
): Promise<readonly DirectToDeviceEdu[]> {
  if (remote.size === 0) return [];
  const serverNids = await ctx.names.serverNids([...remote.keys()]);
  return [...remote.values()].flatMap((recipients, index) =>
    batches(
      sender,
      type,
      recipients.map(([, recipient]) => recipient),
    ).map((messages) => {
      const messageId = ctx.random.bytes(16).toString('hex');
      return { serverNid: serverNids[index]!, content: { sender, type, message_id: messageId, messages } };
    }),
  );
}

type Messages = Record<UserId, Record<string, JsonObject>>;

function batches(sender: UserId, type: string, recipients: readonly Recipient[]): Messages[] {
  const done: Messages[] = [];
  let bytes = Infinity;
  for (const { userId, contentOf } of recipients)
    for (const [deviceId, content] of contentOf) {
      const size = Buffer.byteLength(eventText(sender, type, content));
      if (bytes + size > limits.toDeviceEduBytesMax) {
        done.push({});
        bytes = 0;
      }
      bytes += size;
      // There is one by now.
      const messages = done.at(-1) ?? {};
      (messages[userId] ??= {})[deviceId] = content;
    }
  return done;
}
