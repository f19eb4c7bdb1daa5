/** `rooms.invite`, `rooms.knock` and `rooms.leave` of one room. */
import { loadVisibility } from '../rooms/visibility.ts';
import { strippedState } from '../storage/stores/membership-store.ts';
import { timelineText } from './joined-room.ts';
import { loadState } from './room-state.ts';
import { loadTimeline } from './room-timeline.ts';
import type { RoomStanding } from './sync-users.ts';
import type { SyncPass } from './sync-request.ts';

export interface RoomText {
  readonly roomId: string;
  readonly text: string;
}

/** The stripped state that came with the invite, or was made when knocking. */
export async function strippedRoom(
  pass: SyncPass,
  standing: RoomStanding,
  name: 'invite_state' | 'knock_state',
): Promise<RoomText> {
  const { room } = standing;
  const { roomId } = await pass.ctx.rooms.dags.openByNid(room);
  const row = await pass.ctx.rooms.db.one(strippedState, { user: pass.user.userNid, room });
  return { roomId, text: `{"${name}":{"events":${row?.json ?? '[]'}}}` };
}

/** What happened until the reader left, and not a moment longer. */
export async function leftRoom(pass: SyncPass, standing: RoomStanding): Promise<RoomText> {
  const { ctx, since, request } = pass;
  const { room, pos } = standing;
  const dag = await ctx.rooms.dags.openByNid(room);
  const visibility = await loadVisibility(ctx.rooms, room, request.requester.userId);
  const wasKnown = since >= 0 && visibility.memberships.findLast((entry) => entry.pos <= since)?.value === 'join';
  const full = !wasKnown || request.fullState;
  const timeline = await loadTimeline(pass, { room, since: wasKnown ? since : -1, until: pos, visibility });
  const state = await loadState(pass, dag, timeline, since, pos, full);
  return {
    roomId: dag.roomId,
    text: `{"timeline":${timelineText(timeline)},"state":{"events":[${state.join()}]},"account_data":{"events":[]}}`,
  };
}
