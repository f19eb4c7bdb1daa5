/** The main line: the history of the current state as this server saw it (R6, R8). */
import { virtualEventsAt } from './line-draft.ts';
import { canonicalPoint, differingKeys, eventsAt } from './lines.ts';
import { memoKey } from './resolution-memo.ts';
import { resolvePoints } from './resolve-points.ts';
import type { RoomView } from './room-view.ts';
import { NOW, type Point, type VirtualState, samePoint } from './state-point.ts';
import type { EventPlace } from './event-places.ts';

/** How one key of the current state changes. */
export interface MainChange {
  readonly skey: number;
  readonly event: number | null;
  readonly previous: number | null;
}

/** Appends what makes the main line equal to the state, and the event itself if it is a state event. */
export async function appendToMain(
  view: RoomView,
  state: VirtualState,
  own: { readonly skey: number; readonly nid: number } | undefined,
  main: { readonly line: number; readonly tip: Point },
): Promise<MainChange[]> {
  const keys = samePoint(main.tip, state.base)
    ? new Set<number>()
    : await differingKeys(view.lines, main.tip, state.base);
  for (const skey of state.difference.keys()) keys.add(skey);
  if (own !== undefined) keys.add(own.skey);
  const wanted = [...keys];
  const before = await eventsAt(view.lines, main.tip, wanted);
  const after = await virtualEventsAt(view.lines, state, wanted);
  const changes: MainChange[] = [];
  for (const skey of wanted) {
    const previous = before.get(skey) ?? null;
    const isOwn = own?.skey === skey;
    const event = isOwn ? own.nid : (after.get(skey) ?? null);
    // the event's own row is always written: it holds the value in the state before it (R3)
    if (isOwn) view.lines.put(main.line, skey, NOW, { event, prev: after.get(skey) ?? null });
    if (event === previous) continue;
    if (!isOwn) view.lines.put(main.line, skey, NOW, { event, prev: previous });
    changes.push({ skey, event, previous });
  }
  return changes;
}

/** R8: the current state after the extremities changed. `resolvedFrom` names the points it was made of. */
export async function resolveMain(
  view: RoomView,
  extremities: Iterable<EventPlace>,
  main: { readonly line: number; readonly tip: Point },
  resolvedFrom: string | undefined,
): Promise<{ readonly changes: MainChange[]; readonly resolvedFrom: readonly Point[] | undefined }> {
  const points: Point[] = [];
  for (const place of extremities) points.push(await canonicalPoint(view.lines, view.pointAfter(place)));
  // without extremities the current state stays as it is
  if (points.length === 0) return { changes: [], resolvedFrom: undefined };
  if (memoKey(points) === resolvedFrom) return { changes: [], resolvedFrom: points };
  const state = await resolvePoints(view, points);
  return { changes: await appendToMain(view, state, undefined, main), resolvedFrom: points };
}
