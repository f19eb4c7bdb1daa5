/** POST /keys/query. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery */
import type { UserId } from '../matrix/ids/ids.ts';
import type { EncryptionContext } from './context.ts';
import { failuresText, splitByServer } from './remote-users.ts';
import { type AnswerMembers, member, publicKeyOf, type SignedByUser, UserKeys, withSignatures } from './user-keys.ts';

type Querying = Pick<EncryptionContext, 'names' | 'localServers' | 'knownKeys'>;

/** A user, and the ids of devices that are asked for; none: all. */
export type KeyQuery = readonly [userId: UserId, deviceIds: readonly string[]];

/**
 * The answer as bytes of JSON, put together from what is kept of each user. Who is local is answered for with an empty object
 * where there are no keys, so that an answer does not tell who exists.
 */
export async function queryKeys(
  ctx: Querying,
  requester: { readonly userId: UserId; readonly userNid: number },
  wanted: readonly KeyQuery[],
): Promise<Buffer> {
  const { local, remote } = splitByServer(ctx, wanted);
  const userNids = await ctx.names.findUserNids(local.map(([userId]) => userId));
  const keys = await ctx.knownKeys.of(userNids.filter((nid) => nid !== undefined));
  const signed = await ctx.knownKeys.signedBy(requester.userNid);
  const devices: Buffer[] = [];
  const master: Buffer[] = [];
  const selfSigning: Buffer[] = [];
  const userSigning: Buffer[] = [];
  for (const [index, [userId, deviceIds]] of local.entries()) {
    const userNid = userNids[index] ?? 0;
    const ofUser = keys.get(userNid) ?? noKeys;
    const members = ofUser === noKeys ? nothingOf(userId) : ofUser.membersFor(userId);
    devices.push(deviceIds.length === 0 ? members.devices : member(userId, someDevices(ofUser, deviceIds)));
    const signatures = signed.size === 0 ? undefined : signed.get(userNid);
    master.push(signatures === undefined ? members.master : masterWith(ofUser, userId, requester.userId, signatures));
    selfSigning.push(members.selfSigning);
    if (userNid === requester.userNid) userSigning.push(member(userId, ofUser.crossSigning.get('user_signing')?.text));
  }
  return Buffer.concat([
    Buffer.from(`{"failures":${failuresText(remote)},"device_keys":{`),
    ...joined(devices),
    Buffer.from('},"master_keys":{'),
    ...joined(master),
    Buffer.from('},"self_signing_keys":{'),
    ...joined(selfSigning),
    Buffer.from('},"user_signing_keys":{'),
    ...joined(userSigning),
    Buffer.from('}}'),
  ]);
}

const noKeys = new UserKeys(new Map(), new Map());
const nothingOf = (userId: UserId): AnswerMembers => new UserKeys(new Map(), new Map()).membersFor(userId);

/** Without the comma before the first. */
function joined(members: readonly Buffer[]): readonly Buffer[] {
  const first = members.findIndex(({ length }) => length > 0);
  return members.map((bytes, index) => (index === first ? bytes.subarray(1) : bytes));
}

function someDevices(keys: UserKeys, deviceIds: readonly string[]): string {
  let text = '';
  for (const deviceId of new Set(deviceIds)) {
    const device = keys.devices.get(deviceId);
    if (device?.text !== undefined) text += `,${JSON.stringify(deviceId)}:${device.text}`;
  }
  return `{${text.slice(1)}}`;
}

/** With what the one who asks has signed. */
function masterWith(keys: UserKeys, userId: UserId, requesterId: UserId, signed: SignedByUser): Buffer {
  const master = keys.crossSigning.get('master');
  const signatures = master === undefined ? undefined : signed.get(publicKeyOf(master.keyId));
  if (master === undefined || signatures === undefined) return keys.membersFor(userId).master;
  return member(userId, withSignatures(master.text, requesterId, signatures));
}
