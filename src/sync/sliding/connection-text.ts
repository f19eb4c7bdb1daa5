/** What connections have been told, as JSON text for the database. */
import type { Draft, MemberNews, RoomRecord, Told } from './connection.ts';
import { RequiredState, nothingRequired } from './required-state.ts';

/** -1: never; -2: all. */
type TextTold = number;
type TextRecord = readonly [
  room: number,
  membership: string,
  standingPos: number,
  events: TextTold,
  receipts: TextTold,
  accountData: TextTold,
  timelineLimit: number,
  firstOrd: number,
  required: number,
  isDm: number,
  bumpStamp: number,
  notification: number,
  highlight: number,
];
type TextMembers = readonly [room: number, isReset: number, told: readonly string[], outdated: readonly string[]];
interface TextDraft {
  readonly serial: number;
  readonly pos: number;
  readonly token?: number | undefined;
  readonly lists: readonly (readonly [string, number])[];
  readonly required: readonly string[];
  readonly rooms: readonly TextRecord[];
  readonly members: readonly TextMembers[];
}

export function draftText(draft: Draft): string {
  const required = new Map<string, number>();
  const indexOf = ({ key }: RequiredState): number => {
    const index = required.get(key) ?? required.size;
    required.set(key, index);
    return index;
  };
  const rooms = Array.from(draft.records, ([room, record]) => recordFields(room, record, indexOf(record.required)));
  const text: TextDraft = {
    serial: draft.serial,
    pos: draft.streamPos,
    token: draft.tokenPos,
    lists: Array.from(draft.lists, ([name, { count }]) => [name, count] as const),
    required: [...required.keys()],
    rooms,
    members: Array.from(
      draft.members,
      ([room, { isReset, told, outdated }]) => [room, isReset ? 1 : 0, [...told], [...outdated]] as const,
    ),
  };
  return JSON.stringify(text);
}

export function parseDraft(text: TextDraft): Draft {
  const required = text.required.map((key) => RequiredState.parse(key));
  const members = new Map<number, MemberNews>();
  for (const [room, isReset, told, outdated] of text.members)
    members.set(room, { isReset: isReset === 1, told: new Set(told), outdated: new Set(outdated) });
  return {
    serial: text.serial,
    streamPos: text.pos,
    tokenPos: text.token,
    signature: undefined,
    lists: new Map(text.lists.map(([name, count]) => [name, { count, version: undefined }])),
    records: new Map(text.rooms.map((fields) => [fields[0], parseRecord(fields, required)])),
    members,
  };
}

/** What changed since the base was written, and the answers that may have arrived. */
export function tailText(applied: readonly string[], pending: readonly string[]): string {
  return `{"applied":[${applied.join()}],"pending":[${pending.join()}]}`;
}
export function parseTail(text: string): { readonly applied: readonly Draft[]; readonly pending: readonly Draft[] } {
  const { applied, pending } = JSON.parse(text) as Record<'applied' | 'pending', readonly TextDraft[]>;
  return { applied: applied.map(parseDraft), pending: pending.map(parseDraft) };
}
export function parseBase(text: string): Draft {
  return parseDraft(JSON.parse(text) as TextDraft);
}

function recordFields(room: number, record: RoomRecord, required: number): TextRecord {
  return [
    room,
    record.membership,
    record.standingPos,
    toldNumber(record.events),
    toldNumber(record.receipts),
    toldNumber(record.accountData),
    record.timelineLimit,
    record.firstOrd,
    required,
    record.isDm ? 1 : 0,
    record.bumpStamp,
    record.notification,
    record.highlight,
  ];
}

function parseRecord(fields: TextRecord, required: readonly RequiredState[]): RoomRecord {
  const [, membership, standingPos, events, receipts, accountData, timelineLimit, firstOrd] = fields;
  const [requiredIndex, isDm, bumpStamp, notification, highlight] = fields.slice(8) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    membership,
    standingPos,
    events: toldOf(events),
    receipts: toldOf(receipts),
    accountData: toldOf(accountData),
    timelineLimit,
    firstOrd,
    required: required[requiredIndex] ?? nothingRequired,
    isDm: isDm === 1,
    bumpStamp,
    notification,
    highlight,
  };
}

const toldNumber = (told: Told): TextTold => (told === 'never' ? -1 : told === 'all' ? -2 : told);
const toldOf = (told: TextTold): Told => (told === -1 ? 'never' : told === -2 ? 'all' : told);
