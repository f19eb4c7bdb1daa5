/**
 * Who may see events that were fetched from other servers long after they happened. They came in at a position at which other
 * things held, so what decides is the state that they have themselves.
 */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { type EventRow, eventsByNids } from '../storage/stores/timeline-store.ts';
import type { RoomsContext } from './context.ts';
import {
  type FetchedEvent,
  historyVisibilityOf,
  isVisibleBy,
  morePermissive,
  type VisibilityTimeline,
} from './history-visibility.ts';
import { posAt } from './pagination-token.ts';
import type { StateAround } from './state/state-reader.ts';
import { pduOf } from './stored-event.ts';

/** The timeline, with what it says of these events. To be asked before `isVisible` is, for events that may be history. */
export async function withFetched(
  ctx: Pick<RoomsContext, 'db' | 'names' | 'states'>,
  timeline: VisibilityTimeline,
  rows: readonly Pick<EventRow, 'nid' | 'pos' | 'ord' | 'flags'>[],
): Promise<VisibilityTimeline> {
  const { userId } = timeline;
  const history = rows.filter(({ pos, flags }) => pos !== null && (flags & EventFlag.backfilled) !== 0);
  if (userId === undefined || history.length === 0) return timeline;
  const [visibilityKey, memberKey] = await ctx.names.findSkeys([
    { type: 'm.room.history_visibility', key: '' },
    { type: 'm.room.member', key: userId },
  ]);
  const skeys = [visibilityKey, memberKey].filter((skey) => skey !== undefined);
  const around = await ctx.states.eventsAround(
    history.map(({ nid }) => nid),
    skeys,
  );
  const contents = await contentsOf(ctx, around.values());
  const fetched = new Map(timeline.fetched);
  for (const { nid, pos, ord } of history) {
    const state = around.get(nid);
    const [before, after] = [state?.before, state?.after].map((values) => {
      const contentOf = (skey: number | undefined): JsonObject => contents.get(values?.get(skey ?? none) ?? none) ?? {};
      const { membership } = contentOf(memberKey);
      return {
        visibility: historyVisibilityOf(contentOf(visibilityKey)['history_visibility']),
        membership: typeof membership === 'string' ? membership : undefined,
      };
    });
    if (pos !== null && before !== undefined && after !== undefined)
      fetched.set(pos, judged(timeline, before, after, ord === null ? pos : posAt(ord)));
  }
  return { ...timeline, fetched };
}

interface Held {
  readonly visibility: ReturnType<typeof historyVisibilityOf>;
  readonly membership: string | undefined;
}

function judged(timeline: VisibilityTimeline, before: Held, after: Held, pos: number): FetchedEvent {
  const visibility = morePermissive(before.visibility, after.visibility);
  const memberships = [before.membership, after.membership];
  return { isVisible: isVisibleBy(timeline, visibility, memberships, pos), membership: after.membership };
}

async function contentsOf(
  { db }: Pick<RoomsContext, 'db'>,
  states: Iterable<StateAround>,
): Promise<ReadonlyMap<number, JsonObject>> {
  const nids = new Set<number>();
  for (const { before, after } of states) for (const nid of [...before.values(), ...after.values()]) nids.add(nid);
  if (nids.size === 0) return new Map();
  const rows = await db.all(eventsByNids, { nids: [...nids] });
  return new Map(rows.map((row) => [row.nid, pduOf(row)['content'] as JsonObject]));
}

/** No key and no event has it. */
const none = -1;
