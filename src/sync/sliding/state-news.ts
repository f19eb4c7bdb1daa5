/** `required_state` of a room that the user is in: all of what is wanted, or what changed of it. */
import type { UserId } from '../../matrix/ids/ids.ts';
import { memberRows } from '../../rooms/read-state.ts';
import type { StateKey } from '../../storage/names.ts';
import { type EventFragment, renderEvent } from '../event-fragments.ts';
import type { RoomReader } from '../room-reader.ts';
import type { RoomTimeline } from '../room-timeline.ts';
import type { MemberNews } from './connection.ts';
import { type JoinedView, peopleIn } from './room-view.ts';
import type { RequiredState } from './required-state.ts';
import type { SlidingPass } from './sliding-pass.ts';

export interface StateNews {
  /** Events as JSON text. */
  readonly texts: readonly string[];
  readonly removed: readonly StateKey[];
  readonly members: MemberNews | undefined;
  /** Whether anything of a type changed, wanted or not. */
  hasChanged(type: string): boolean;
}

/** `timeline`: as it is told; `live`: what of it is new. */
export async function loadStateNews(
  view: JoinedView,
  timeline: RoomTimeline | undefined,
  live: RoomTimeline | undefined,
): Promise<StateNews> {
  const { pass, candidate, dag, reader, isInitial } = view;
  const { required } = candidate.config;
  const changes = isInitial ? [] : await stateChanges(view, live);
  // Members that changed go with a timeline without a gap, so that whoever knows them all goes on doing so.
  const tellsMembers = required.lazyMembers && live?.limited !== true;
  const isWanted = ({ type, key }: StateKey): boolean =>
    required.matches(type, key) || (tellsMembers && type === 'm.room.member');
  const known = isInitial ? undefined : candidate.record?.required;
  const wanted = new Set<number>();
  if (known?.key !== required.key) {
    const isNews = ({ type, key }: StateKey) => required.matches(type, key) && known?.matches(type, key) !== true;
    const nids = view.look?.required ?? (await requiredNids(pass, dag.room, pass.now, required, isNews));
    for (const nid of nids) wanted.add(nid);
  }
  const removed: StateKey[] = [];
  for (const { key, nid } of changes)
    if (isWanted(key)) {
      if (nid === null) removed.push(key);
      else wanted.add(nid);
    }
  const state = await pass.ctx.sync.fragments.ofNids([...wanted], reader);
  const told = new Set(
    state.flatMap(({ type, stateKey }) => (type === 'm.room.member' && stateKey !== undefined ? stateKey : [])),
  );
  const lazy = required.lazyMembers ? await lazyMembers(view, timeline, told) : [];
  return {
    texts: await stateTexts(pass, reader, [...state, ...lazy]),
    removed,
    members: memberNews(view, changes, told, lazy),
    hasChanged: (type) => changes.some(({ key }) => key.type === type),
  };
}

interface KeyChange {
  readonly key: StateKey;
  /** null: the key went away. */
  readonly nid: number | null;
}

async function stateChanges(
  { pass, dag, from }: JoinedView,
  live: RoomTimeline | undefined,
): Promise<readonly KeyChange[]> {
  if (live === undefined || from >= pass.now) return [];
  const isUnchanged =
    !live.otherStateChanged && !live.limited && live.events.every(({ fragment }) => fragment.stateKey === undefined);
  if (isUnchanged) return [];
  const { states, names } = pass.ctx.sync.rooms;
  const delta = [...(await states.delta(dag.room, from, pass.now))];
  const keys = await names.stateKeysOf(delta.map(([skey]) => skey));
  return delta.flatMap(([, nid], index) => {
    const key = keys[index];
    return key === undefined ? [] : { key, nid };
  });
}

/** The numbers of the events that the wanted keys have at a position. */
export async function requiredNids(
  { ctx }: SlidingPass,
  room: number,
  pos: number,
  required: RequiredState,
  isWanted: (key: StateKey) => boolean,
): Promise<Iterable<number>> {
  const { states, names, otherKeys } = ctx.sync.rooms;
  if (required.allMembers) {
    const state = [...(await states.stateAt(room, pos))];
    const keys = await names.stateKeysOf(state.map(([skey]) => skey));
    return state.flatMap(([, nid], index) => {
      const key = keys[index];
      return key !== undefined && isWanted(key) ? nid : [];
    });
  }
  const wanted = required.exact.filter(isWanted);
  const found = await names.findSkeys(wanted);
  const skeys = new Set(found.filter((skey) => skey !== undefined));
  if (required.hasWildcards) {
    const others = await otherKeys.of(room);
    const keys = await names.stateKeysOf(others);
    for (const [index, skey] of others.entries()) if (isWanted(keys[index] ?? noKey)) skeys.add(skey);
  }
  return (await states.stateEventsAt(room, pos, [...skeys])).values();
}

const noKey: StateKey = { type: '', key: '' };

/** The memberships of those who appear in the timeline, unless the client has them. */
async function lazyMembers(
  view: JoinedView,
  timeline: RoomTimeline | undefined,
  told: ReadonlySet<string>,
): Promise<EventFragment[]> {
  const { pass, dag, isInitial } = view;
  const known = isInitial ? undefined : pass.connection.membersToldOf(dag.room);
  const people = peopleIn(timeline?.events.map(({ fragment }) => fragment) ?? []);
  const missing = [...people].filter((userId) => !told.has(userId) && known?.has(userId) !== true);
  return membersOf(pass, view, missing);
}

/** The membership events of those who have one. */
export async function membersOf(
  { ctx, now }: SlidingPass,
  { dag, reader, look }: Pick<JoinedView, 'dag' | 'reader' | 'look'>,
  userIds: readonly UserId[],
): Promise<EventFragment[]> {
  const { rooms, fragments } = ctx.sync;
  if (look === undefined || !userIds.every((userId) => look.members.has(userId)))
    return fragments.ofRows(await memberRows(rooms, dag, now, userIds), reader);
  return fragments.ofNids(
    userIds.flatMap((userId) => look.members.get(userId) ?? []),
    reader,
  );
}

export async function stateTexts(
  { nowMs }: SlidingPass,
  reader: RoomReader,
  state: readonly EventFragment[],
): Promise<string[]> {
  const seesPrevious = await reader.previousSeen(state);
  return state.map((fragment) => renderEvent(fragment, nowMs, { seesPrevious: seesPrevious(fragment) }));
}

function memberNews(
  { isInitial, candidate }: JoinedView,
  changes: readonly KeyChange[],
  told: ReadonlySet<string>,
  lazy: readonly EventFragment[],
): MemberNews | undefined {
  const isLazy = candidate.config.required.lazyMembers;
  const added = new Set<string>(isLazy ? told : []);
  for (const { stateKey } of lazy) if (stateKey !== undefined) added.add(stateKey as UserId);
  const outdated = new Set<string>();
  for (const { key } of changes) if (key.type === 'm.room.member' && !told.has(key.key)) outdated.add(key.key);
  const isNothing = !isInitial && added.size + outdated.size === 0;
  return isNothing ? undefined : { isReset: isInitial, told: added, outdated };
}
