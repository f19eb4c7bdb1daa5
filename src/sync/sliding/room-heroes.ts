/** After whom a room is named that has no name. https://spec.matrix.org/v1.19/client-server-api/#calculating-the-display-name-for-a-room */
import type { RoomDag } from '../../rooms/dag/contract.ts';
import type { RoomReader } from '../room-reader.ts';
import { heroIds } from '../room-summary.ts';
import type { SlidingLook } from './room-looks.ts';
import type { Hero } from './room-result.ts';
import type { SlidingPass } from './sliding-pass.ts';
import { membersOf } from './state-news.ts';

/** `look`: what was read of the room already. */
export async function heroesOf(
  pass: SlidingPass,
  dag: RoomDag,
  reader: RoomReader,
  look?: SlidingLook,
): Promise<Hero[]> {
  const { rooms } = pass.ctx.sync;
  const userIds = look?.heroes ?? (await heroIds(rooms, dag.room, pass.user.userNid));
  const members = await membersOf(pass, { dag, reader, look }, userIds);
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
