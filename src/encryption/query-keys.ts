/** POST /keys/query. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery */
import type { UserId } from '../matrix/ids/ids.ts';
import type { EncryptionContext } from './context.ts';
import { failuresText, splitByServer } from './remote-users.ts';
import { publicKeyOf, type SignedByUser, type UserKeys, withSignatures } from './user-keys.ts';

type Querying = Pick<EncryptionContext, 'names' | 'localServers' | 'knownKeys'>;

/**
 * JSON text of the answer. `wanted`: by user, the ids of devices, none for all. Who is local is answered for with an empty
 * object where there are no keys, so that an answer does not tell who exists.
 */
export async function queryKeys(
  ctx: Querying,
  requester: { readonly userId: UserId; readonly userNid: number },
  wanted: Readonly<Record<UserId, readonly string[]>>,
): Promise<string> {
  const { local, remote } = splitByServer(ctx, Object.keys(wanted) as UserId[]);
  const userNids = await ctx.names.findUserNids(local);
  const keys = await ctx.knownKeys.of(userNids.filter((nid) => nid !== undefined));
  const signed = await ctx.knownKeys.signedBy(requester.userNid);
  const parts = { devices: '', master: '', selfSigning: '', userSigning: '' };
  for (const [index, userId] of local.entries()) {
    const userNid = userNids[index] ?? 0;
    const ofUser = keys.get(userNid);
    const name = JSON.stringify(userId);
    parts.devices += `,${name}:${ofUser === undefined ? '{}' : devicesText(ofUser, wanted[userId] ?? [])}`;
    if (ofUser === undefined || ofUser.crossSigning.size === 0) continue;
    const { crossSigning } = ofUser;
    const master = masterText(ofUser, requester.userId, signed.get(userNid));
    const selfSigning = crossSigning.get('self_signing')?.text;
    const userSigning = userNid === requester.userNid ? crossSigning.get('user_signing')?.text : undefined;
    if (master !== undefined) parts.master += `,${name}:${master}`;
    if (selfSigning !== undefined) parts.selfSigning += `,${name}:${selfSigning}`;
    if (userSigning !== undefined) parts.userSigning += `,${name}:${userSigning}`;
  }
  return (
    `{"device_keys":{${parts.devices.slice(1)}},"failures":${failuresText(remote)},` +
    `"master_keys":{${parts.master.slice(1)}},"self_signing_keys":{${parts.selfSigning.slice(1)}},` +
    `"user_signing_keys":{${parts.userSigning.slice(1)}}}`
  );
}

function devicesText(keys: UserKeys, deviceIds: readonly string[]): string {
  if (deviceIds.length === 0) return keys.devicesText;
  let text = '';
  for (const deviceId of new Set(deviceIds)) {
    const device = keys.devices.get(deviceId);
    if (device?.text !== undefined) text += `,${JSON.stringify(deviceId)}:${device.text}`;
  }
  return `{${text.slice(1)}}`;
}

/** With what the one who asks has signed. */
function masterText(keys: UserKeys, requesterId: UserId, signed: SignedByUser | undefined): string | undefined {
  const master = keys.crossSigning.get('master');
  if (master === undefined) return undefined;
  const signatures = signed?.get(publicKeyOf(master.keyId));
  return signatures === undefined ? master.text : withSignatures(master.text, requesterId, signatures);
}
