/** POST /keys/query. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery */
import type { UserId } from '../matrix/ids/ids.ts';
import type { EncryptionContext } from './context.ts';
import { remoteKeysOf } from './remote-lists/remote-keys-of.ts';
import { failuresText, remoteTimeoutMs, splitByServer } from './remote-users.ts';
import { type AnswerMembers, member, publicKeyOf, type SignedByUser, UserKeys, withSignatures } from './user-keys.ts';

type Querying = Pick<EncryptionContext, 'names' | 'localServers' | 'knownKeys' | 'remoteKeys' | 'remoteLists'>;

/** A user, and the ids of devices that are asked for; none: all. */
export type KeyQuery = readonly [userId: UserId, deviceIds: readonly string[]];

/**
 * The answer as bytes of JSON, put together from what is kept of each user. Who is local is answered for with an empty object
 * where there are no keys, so that an answer does not tell who exists. Other servers have `timeoutMs`.
 */
export async function queryKeys(
  ctx: Querying,
  requester: { readonly userId: UserId; readonly userNid: number },
  wanted: readonly KeyQuery[],
  timeoutMs?: number,
): Promise<Buffer> {
  const { local, remote } = splitByServer(ctx, wanted);
  const { found, failed } = await remoteKeysOf(ctx, remote, remoteTimeoutMs(timeoutMs));
  const deviceIdsOf = new Map(wanted);
  const keysOf = new Map(found.map(({ userId, keys }) => [userId, keys]));
  const users = [...local.map(([userId]) => userId), ...keysOf.keys()];
  const userNids = await ctx.names.findUserNids(users);
  const known = await ctx.knownKeys.of(userNids.slice(0, local.length).filter((nid) => nid !== undefined));
  const signed = await ctx.knownKeys.signedBy(requester.userNid);
  const answered = users.map((userId, index): AnsweredUser => {
    const userNid = userNids[index] ?? 0;
    return {
      userId,
      deviceIds: deviceIdsOf.get(userId) ?? [],
      keys: keysOf.get(userId) ?? known.get(userNid),
      signed: signed.get(userNid),
    };
  });
  const userSigning = known.get(requester.userNid)?.crossSigning.get('user_signing')?.text;
  const isAsked = deviceIdsOf.has(requester.userId);
  return answerText(answered, {
    requester: requester.userId,
    userSigning: member(requester.userId, isAsked ? userSigning : undefined),
    failures: failuresText(failed),
  });
}

export interface AnsweredUser {
  readonly userId: UserId;
  /** None: all. */
  readonly deviceIds: readonly string[];
  /** undefined: there are none. */
  readonly keys: UserKeys | undefined;
  /** By the one who asks. */
  readonly signed?: SignedByUser | undefined;
}
interface OfClient {
  readonly requester: UserId;
  readonly userSigning: Buffer;
  /** JSON text. */
  readonly failures: string;
}

/** As clients get it, and without `ofClient` as other servers do. */
export function answerText(users: readonly AnsweredUser[], ofClient?: OfClient): Buffer {
  const devices: Buffer[] = [];
  const master: Buffer[] = [];
  const selfSigning: Buffer[] = [];
  for (const { userId, deviceIds, keys, signed } of users) {
    const members = keys?.membersFor(userId) ?? nothingOf(userId);
    devices.push(
      deviceIds.length === 0 || keys === undefined ? members.devices : member(userId, someDevices(keys, deviceIds)),
    );
    const isSigned = keys !== undefined && signed !== undefined && ofClient !== undefined;
    master.push(isSigned ? masterWith(keys, userId, ofClient.requester, signed) : members.master);
    selfSigning.push(members.selfSigning);
  }
  return Buffer.concat([
    Buffer.from(`{${ofClient === undefined ? '' : `"failures":${ofClient.failures},`}"device_keys":{`),
    ...joined(devices),
    Buffer.from('},"master_keys":{'),
    ...joined(master),
    Buffer.from('},"self_signing_keys":{'),
    ...joined(selfSigning),
    ...(ofClient === undefined ? [] : [Buffer.from('},"user_signing_keys":{'), ...joined([ofClient.userSigning])]),
    Buffer.from('}}'),
  ]);
}

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
