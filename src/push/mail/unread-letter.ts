/** What is unread, as a message to a mailbox. */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { Letter, LetterPart } from '../../mail/letter.ts';
import { type Language, type Translate, translator } from '../../platform/messages/catalogue.ts';

export interface UnreadMessage {
  readonly room: number;
  /** undefined: the room has none. */
  readonly roomName: string | undefined;
  /** Display name or user id. */
  readonly sender: string;
  readonly event: Pick<RoomEvent, 'type' | 'content'>;
}
export interface UnreadParts {
  readonly language: Language;
  readonly serverName: string;
  /** Whom it is for. */
  readonly userId: string;
  /** Oldest first. */
  readonly messages: readonly UnreadMessage[];
  /** false: it is only said how many there are. */
  readonly includesContent: boolean;
}

/** Of one room. */
const messagesMax = 5;
const roomsMax = 10;
const nameCharactersMax = 100;
const textCharactersMax = 400;

/** Nothing that others wrote is in the subject; encrypted messages are only counted. */
export function unreadLetter({ language, serverName, userId, messages, includesContent }: UnreadParts): Letter {
  const say = translator(language);
  const count = messages.length;
  const rooms = [...Map.groupBy(messages, ({ room }) => room).values()];
  const told = includesContent ? rooms.slice(0, roomsMax) : [];
  const further = includesContent ? rooms.length - told.length : 0;
  return {
    language,
    subject: say('unread.subject', { serverName, count }),
    parts: [
      { kind: 'text', text: say('unread.text', { userId, serverName, count }) },
      ...told.flatMap((room) => roomParts(room, say)),
      ...(further > 0 ? [{ kind: 'text', text: say('unread.moreRooms', { count: further }) } as const] : []),
      { kind: 'note', text: say('unread.why') },
    ],
  };
}

function roomParts(messages: readonly UnreadMessage[], say: Translate): readonly LetterPart[] {
  const [first] = messages;
  const room = first?.roomName === undefined ? say('unread.unnamedRoom') : oneLine(first.roomName);
  const shown = messages.slice(-messagesMax);
  const earlier = messages.length - shown.length;
  return [
    { kind: 'text', text: say('unread.room', { room, count: messages.length }) },
    ...(earlier > 0 ? [{ kind: 'note', text: say('unread.earlier', { count: earlier }) } as const] : []),
    ...shown.map((message) => messagePart(message, say)),
  ];
}

function messagePart({ sender, event }: UnreadMessage, say: Translate): LetterPart {
  return { kind: 'quote', from: oneLine(sender), text: shortened(textOf(event, say), textCharactersMax) };
}

function textOf({ type, content }: UnreadMessage['event'], say: Translate): string {
  const { body, msgtype, membership } = content;
  if (type === 'm.room.encrypted') return say('unread.encrypted');
  if (type === 'm.room.member' && membership === 'invite') return say('unread.invite');
  if (type !== 'm.room.message' || typeof body !== 'string' || typeof msgtype !== 'string') return say('unread.other');
  if (msgtype === 'm.emote') return `* ${body}`;
  return msgtype === 'm.text' || msgtype === 'm.notice' ? body : say('unread.file');
}

/** A name cannot pretend to be more than one. */
const oneLine = (text: string): string =>
  shortened(text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim(), nameCharactersMax);

function shortened(text: string, charactersMax: number): string {
  const characters = Array.from(text.slice(0, charactersMax * 2 + 2));
  return characters.length <= charactersMax ? text : `${characters.slice(0, charactersMax).join('')}…`;
}
