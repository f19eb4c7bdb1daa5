/** An answer as JSON text, in either shape. */
import type { SlidingAnswer } from './sliding-answer.ts';
import type { ListState } from './connection.ts';
import type { ExtensionNews } from './extensions.ts';
import type { RoomResult } from './room-result.ts';
import type { SlidingExtensions, SlidingShape } from './sliding-request.ts';

export function answerText(
  pos: string,
  shape: SlidingShape,
  asked: SlidingExtensions,
  lists: ReadonlyMap<string, ListState>,
  answer: Pick<SlidingAnswer, 'rooms' | 'extensions' | 'sticky' | 'device'>,
): string {
  const listTexts = Array.from(lists, ([name, { count }]) => `${JSON.stringify(name)}:{"count":${count}}`);
  const roomTexts = answer.rooms.map((room) => `${JSON.stringify(room.roomId)}:${roomText(room, shape)}`);
  const sticky = answer.sticky === undefined ? [] : [answer.sticky];
  const extensions = [...answer.device.texts, ...extensionTexts(answer.extensions, asked), ...sticky].join();
  return `{"pos":${JSON.stringify(pos)},"lists":{${listTexts.join()}},"rooms":{${roomTexts.join()}},"extensions":{${extensions}}}`;
}

/** What the experiment called otherwise. https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md#changelog */
function roomText(room: RoomResult, shape: SlidingShape): string {
  const isV4 = shape === 'v4';
  const fields: string[] = [];
  const add = (name: string, value: unknown): void => {
    if (value !== undefined) fields.push(`"${name}":${JSON.stringify(value)}`);
  };
  if (isV4) {
    add('membership', room.membership);
    if (room.lists.length > 0) add('lists', room.lists);
  } else {
    add('notification_count', room.unread?.notification ?? 0);
    add('highlight_count', room.unread?.highlight ?? 0);
  }
  if (room.isInitial) add('initial', true);
  if (room.isExpanded === true) add(isV4 ? 'expanded_timeline' : 'unstable_expanded_timeline', true);
  add('bump_stamp', room.bumpStamp);
  // Clients of the experiment take a name for a text.
  add('name', isV4 ? room.name : (room.name ?? undefined));
  add('avatar', room.avatar);
  if (room.heroes !== undefined && room.heroes.length > 0)
    add(
      'heroes',
      room.heroes.map(({ userId, displayName, avatarUrl }) => ({
        user_id: userId,
        displayname: displayName,
        avatar_url: avatarUrl,
      })),
    );
  add('is_dm', room.isDm);
  add('joined_count', room.joinedCount);
  add('invited_count', room.invitedCount);
  const state = [...(room.requiredState ?? []), ...(isV4 ? stubs(room) : [])];
  if (state.length > 0) fields.push(`"required_state":[${state.join()}]`);
  if (room.timeline !== undefined) {
    const { events, isLimited, prevBatch, numLive } = room.timeline;
    fields.push(`"timeline":[${events.join()}]`);
    add('limited', isLimited);
    add('prev_batch', prevBatch);
    add('num_live', numLive);
  }
  if (room.strippedState !== undefined)
    fields.push(`"${isV4 ? 'stripped_state' : 'invite_state'}":${room.strippedState}`);
  return `{${fields.join()}}`;
}

const stubs = ({ removedState = [] }: RoomResult): string[] =>
  removedState.map(({ type, key }) => JSON.stringify({ type, state_key: key }));

function extensionTexts(news: ExtensionNews, asked: SlidingExtensions): string[] {
  const texts: string[] = [];
  const rooms = (byRoom: ReadonlyMap<string, string>): string =>
    Array.from(byRoom, ([roomId, text]) => `${JSON.stringify(roomId)}:${text}`).join();
  if (asked.accountData !== undefined && news.globalAccountData.length + news.accountData.size > 0) {
    const lists = new Map(Array.from(news.accountData, ([roomId, events]) => [roomId, `[${events.join()}]`]));
    texts.push(`"account_data":{"global":[${news.globalAccountData.join()}],"rooms":{${rooms(lists)}}}`);
  }
  if (news.receipts.size > 0) texts.push(`"receipts":{"rooms":{${rooms(news.receipts)}}}`);
  if (news.typing.size > 0) texts.push(`"typing":{"rooms":{${rooms(news.typing)}}}`);
  return texts;
}
