/** Sticky events that a reader is told beside the timeline. https://github.com/matrix-org/matrix-spec-proposals/pull/4354 (MSC4354) */
import { limits } from '../platform/limits.ts';
import { stickyEvents } from '../storage/stores/sticky-event-store.ts';
import { type EventFragment, type FragmentReader, renderEvent } from './event-fragments.ts';
import type { SyncContext } from './sync-request.ts';

export interface StickyWish {
  readonly room: number;
  readonly reader: FragmentReader;
  readonly userNid: number;
  /** -1: all that are there, as for somebody who has just joined. */
  readonly after: number;
  readonly until: number;
  readonly nowMs: number;
  /** Users whose messages the reader does not want. */
  readonly ignored: ReadonlySet<string>;
  /** Events that are told already. */
  readonly told: readonly { readonly nid: number }[];
}

/**
 * JSON texts, oldest first; of too many in one room the newest `limits.stickyEventsMax`. History visibility does not apply to
 * them: every member gets them.
 */
export async function stickyNews(
  ctx: Pick<SyncContext, 'rooms' | 'fragments' | 'sticky'>,
  wish: StickyWish,
): Promise<readonly string[]> {
  const { room, after, until: upTo, nowMs: now, reader } = wish;
  if (!(await ctx.sticky.mayHaveAfter(room, after))) return [];
  const rows = await ctx.rooms.db.all(stickyEvents, { room, after, upTo, now, limit: limits.stickyEventsMax });
  const told = new Set(wish.told.map(({ nid }) => nid));
  const nids = rows.map(({ nid }) => nid).filter((nid) => !told.has(nid));
  const fragments = await ctx.fragments.ofNids(nids.reverse(), reader);
  const isWanted = ({ stateKey, sender }: EventFragment): boolean =>
    stateKey !== undefined || !wish.ignored.has(sender);
  return fragments
    .filter(isWanted)
    .map((fragment) => renderEvent(fragment, now, { userNid: wish.userNid, membership: 'join', seesPrevious: false }));
}
