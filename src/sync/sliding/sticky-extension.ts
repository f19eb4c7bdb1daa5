/**
 * Sticky events of all joined rooms, whichever of them the lists show (MSC4354). The client says up to where it has them, as
 * for messages to its device: the connection remembers nothing of them.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/4354
 */
import { limits } from '../../platform/limits.ts';
import { RoomReader } from '../room-reader.ts';
import { stickyNews } from '../sticky-news.ts';
import type { RoomStanding } from '../sync-user.ts';
import type { RoomResult } from './room-result.ts';
import type { SlidingPass } from './sliding-pass.ts';

/** The part of the answer's `extensions`; undefined: nothing to tell. What `rooms` have in their timelines is left out. */
export async function stickyText(pass: SlidingPass, rooms: readonly RoomResult[]): Promise<string | undefined> {
  const { sticky: wish } = pass.request.extensions;
  if (wish === undefined) return undefined;
  const after = wish.since === undefined || wish.since > pass.now ? -1 : wish.since;
  const timelines = new Map(rooms.map(({ room, timeline }) => [room, timeline?.events ?? []]));
  const texts: string[] = [];
  for (const standing of pass.standings.values()) {
    if (standing.membership !== 'join') continue;
    const news = await newsOf(pass, standing, after);
    if (news.length === 0) continue;
    const told = new Set((timelines.get(standing.room) ?? []).map(eventIdOf));
    const events = news
      .filter((text) => !told.has(eventIdOf(text)))
      .slice(-Math.min(wish.limit, limits.stickyEventsMax));
    const { roomId } = await pass.ctx.sync.rooms.dags.openByNid(standing.room);
    if (events.length > 0) texts.push(`${JSON.stringify(roomId)}:{"events":[${events.join()}]}`);
  }
  if (texts.length === 0) return undefined;
  return `${JSON.stringify(wish.name)}:{"next_batch":"${pass.now}","rooms":{${texts.join()}}}`;
}

/** Whoever has joined since gets all that there are. */
async function newsOf(pass: SlidingPass, { room, pos }: RoomStanding, after: number): Promise<readonly string[]> {
  const { sync } = pass.ctx;
  const from = pos > after ? -1 : after;
  if (!(await sync.sticky.mayHaveAfter(room, from))) return [];
  return stickyNews(sync, {
    room,
    reader: new RoomReader(sync.rooms, room, pass.userId, pos),
    userNid: pass.user.userNid,
    after: from,
    until: pass.now,
    nowMs: pass.nowMs,
    ignored: pass.ignored,
    told: [],
  });
}

const eventIdOf = (text: string): unknown => (JSON.parse(text) as { readonly event_id?: unknown }).event_id;
