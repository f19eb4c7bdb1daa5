/** After whom a room is named that has no name. https://spec.matrix.org/v1.19/client-server-api/#calculating-the-display-name-for-a-room */
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { memberRows } from '../../rooms/read-state.ts';
import type { RoomReader } from '../room-reader.ts';
import { heroIds } from '../room-summary.ts';
import type { Hero } from './room-result.ts';
import type { SlidingPass } from './sliding-pass.ts';

export async function heroesOf({ ctx, user, now }: SlidingPass, dag: RoomDag, reader: RoomReader): Promise<Hero[]> {
  const { rooms, fragments } = ctx.sync;
  const userIds = await heroIds(rooms, dag.room, user.userNid);
  const members = await fragments.ofRows(await memberRows(rooms, dag, now, userIds), reader);
  const contents = new Map(members.map(({ stateKey, content }) => [stateKey, content]));
  return userIds.map((userId) => {
    const { displayname: displayName, avatar_url: avatarUrl } = contents.get(userId) ?? {};
    return {
      userId,
      displayName: typeof displayName === 'string' ? displayName : undefined,
      avatarUrl: typeof avatarUrl === 'string' ? avatarUrl : undefined,
    };
  });
}
