/**
 * Which rooms a pass has to look at: those that changed, and those that the client's rules brought into view. Where neither
 * the rules nor the lists changed, no room is asked that nothing happened in.
 */
import type { RoomId } from '../../matrix/ids/ids.ts';
import type { RoomChange, RoomStanding } from '../sync-user.ts';
import { type RoomRecord, toldUpTo } from './connection.ts';
import { unionOf } from './required-state.ts';
import type { SlidingPass } from './sliding-pass.ts';
import type { RoomConfig } from './sliding-request.ts';

/** A room that a rule matches, with all that its rules ask for together. */
export interface Candidate {
  readonly standing: RoomStanding;
  readonly roomId: RoomId;
  /** undefined: what changed is not known. */
  readonly change: Readonly<RoomChange> | undefined;
  readonly record: RoomRecord | undefined;
  readonly config: RoomConfig;
  readonly isDm: boolean;
  /** Lists that show it, as their places among those of the request. */
  readonly windows: readonly number[];
  readonly isSubscribed: boolean;
}

export interface Candidates {
  readonly shown: readonly Candidate[];
  /** Rooms that changed and that no rule shows, although the client knows them. */
  readonly hidden: readonly Candidate[];
}

const nothingChanged: RoomChange = { pos: 0, eventPos: 0, receiptPos: 0, typingPos: 0, accountDataPos: 0 };
const nothingWanted = { windows: [], isSubscribed: false, config: undefined };

/** To be called without a wait after the pass began. */
export function candidatesOf(pass: SlidingPass): Candidates {
  const configs = new Map<string, RoomConfig>();
  const seen = new Set<number>();
  const shown: Candidate[] = [];
  const hidden: Candidate[] = [];
  const look = (room: number, change: Readonly<RoomChange> | undefined, standing = pass.standings.get(room)): void => {
    const roomId = pass.userRooms.findRoomId(room);
    // What came since the lists were settled is the next pass's.
    if (seen.has(room) || standing === undefined || roomId === undefined) return;
    seen.add(room);
    const wanted = rulesFor(pass, room, configs);
    const record = pass.connection.records.get(room);
    const config = wanted.config ?? leftRoomConfig(standing, record);
    const isDm = pass.directRooms.has(roomId);
    if (config === undefined) {
      if (record !== undefined) hidden.push({ ...wanted, standing, roomId, change, record, isDm, config: record });
      return;
    }
    const candidate = { ...wanted, standing, roomId, change, record, config, isDm };
    if (change !== nothingChanged || record === undefined || hasMore(pass, candidate, record)) shown.push(candidate);
  };
  for (const { standing, change } of pass.news.toReversed()) look(standing.room, change, standing);
  for (const room of roomsInView(pass)) look(room, nothingChanged);
  return { shown, hidden };
}

function* roomsInView(pass: SlidingPass): Generator<number> {
  const { connection, request, windows, subscriptions } = pass;
  yield* subscriptions.keys();
  const isKnown = connection.signature === request.signature && !pass.globalsChanged;
  for (const { list, rooms, version, walk } of windows) {
    if (rooms === undefined && isKnown && connection.lists.get(list.name)?.version === version) continue;
    yield* walk();
  }
  yield* connection.behind;
}

/** Whoever has left a room is told so, whatever their rules. */
function leftRoomConfig(standing: RoomStanding, record: RoomRecord | undefined): RoomConfig | undefined {
  if (record === undefined || record.standingPos === standing.pos) return undefined;
  const isOut = standing.membership === 'leave' || standing.membership === 'ban';
  return isOut ? { timelineLimit: record.timelineLimit, required: record.required } : undefined;
}

function rulesFor(
  { windows, subscriptions }: SlidingPass,
  room: number,
  configs: Map<string, RoomConfig>,
): Pick<Candidate, 'windows' | 'isSubscribed'> & { readonly config: RoomConfig | undefined } {
  const matched: number[] = [];
  for (let index = 0; index < windows.length; index++) if (windows[index]?.has(room) === true) matched.push(index);
  const subscription = subscriptions.get(room);
  if (matched.length === 0 && subscription === undefined) return nothingWanted;
  const isSubscribed = subscription !== undefined;
  const first = matched[0];
  if (!isSubscribed && matched.length === 1 && first !== undefined)
    return { windows: matched, isSubscribed, config: windows[first]?.list };
  const key = isSubscribed
    ? `${subscription.timelineLimit} ${subscription.required.key} ${matched.join()}`
    : matched.join();
  let config = configs.get(key);
  if (config === undefined) {
    const rules: RoomConfig[] = matched.flatMap((index) => windows[index]?.list ?? []);
    if (subscription !== undefined) rules.push(subscription);
    config = {
      timelineLimit: Math.max(...rules.map(({ timelineLimit }) => timelineLimit)),
      required: unionOf(rules.map(({ required }) => required)),
    };
    configs.set(key, config);
  }
  return { windows: matched, isSubscribed, config };
}

/** Of a room in which nothing happened since. */
function hasMore(
  pass: SlidingPass,
  { standing, config, isDm }: Omit<Candidate, 'record'>,
  record: RoomRecord,
): boolean {
  const { extensions } = pass.request;
  return (
    record.standingPos !== standing.pos ||
    toldUpTo(pass, record) !== pass.since ||
    record.timelineLimit < config.timelineLimit ||
    (record.required !== config.required && record.required.key !== config.required.key) ||
    record.isDm !== isDm ||
    (extensions.receipts !== undefined && record.receipts !== 'all') ||
    (extensions.accountData !== undefined && record.accountData !== 'all')
  );
}
