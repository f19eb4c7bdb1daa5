/** Keys of users of other servers for somebody here: what is kept, and where that may not be right, what their servers say. */
import type { ServerName, UserId } from '../../matrix/ids/ids.ts';
import type { EncryptionContext } from '../context.ts';
import { queryRemoteKeys, type RemoteQuery } from '../remote-users.ts';

type Wish = readonly [userId: UserId, deviceIds: readonly string[]];

/** `failed`: servers that could not be asked; of their users there is what was right once, if anything. */
export async function remoteKeysOf(
  ctx: Pick<EncryptionContext, 'names' | 'remoteKeys' | 'remoteLists'>,
  remote: ReadonlyMap<ServerName, readonly Wish[]>,
  timeoutMs: number,
): Promise<{ readonly found: readonly RemoteQuery[]; readonly failed: readonly ServerName[] }> {
  if (remote.size === 0) return { found: [], failed: [] };
  const userIds = [...remote.values()].flatMap((wishes) => wishes.map(([userId]) => userId));
  const nids = await ctx.names.findUserNids(userIds);
  const nidOf = new Map(userIds.map((userId, index) => [userId, nids[index]]));
  const known = await ctx.remoteLists.known(nids.filter((nid) => nid !== undefined));
  const knownOf = (userId: UserId) => known.get(nidOf.get(userId) ?? 0);
  const found = userIds.flatMap((userId): RemoteQuery[] => {
    const list = knownOf(userId);
    return list?.isRight === true ? [{ userId, keys: list.keys }] : [];
  });
  const asked = new Map<ServerName, readonly Wish[]>();
  for (const [server, wishes] of remote) {
    const unknown = wishes.filter(([userId]) => knownOf(userId)?.isRight !== true);
    if (unknown.length > 0) asked.set(server, unknown);
  }
  const answers = await queryRemoteKeys(ctx, asked, timeoutMs);
  const askedIds = [...asked.values()].flatMap((wishes) => wishes.map(([userId]) => userId));
  ctx.remoteLists.wantSoon(askedIds.map((userId) => nidOf.get(userId)).filter((nid) => nid !== undefined));
  for (const server of answers.failed)
    for (const [userId] of asked.get(server) ?? []) {
      const list = knownOf(userId);
      if (list !== undefined) found.push({ userId, keys: list.keys });
    }
  return { found: [...found, ...answers.found], failed: answers.failed };
}
