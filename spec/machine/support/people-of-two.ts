/** What people with matrix-js-sdk do who are on two servers. */
import { EventType, type ICreateRoomStateEvent, type MatrixEvent, Preset } from 'matrix-js-sdk';
import type { CryptoPerson } from '../../journeys/support/crypto-person.ts';
import { eventually } from '../../journeys/support/eventually.ts';

/** A public room, not encrypted, that the guest joins by its alias. Both are in it when this resolves, and see each other. */
export async function openRoom(owner: CryptoPerson, guest: CryptoPerson, version?: string): Promise<string> {
  const alias = `room-of-${owner.userId.slice(1, owner.userId.indexOf(':'))}`;
  const { room_id: roomId } = await owner.client.createRoom({
    preset: Preset.PublicChat,
    room_alias_name: alias,
    ...(version === undefined ? {} : { room_version: version }),
  });
  await guest.client.joinRoom(`#${alias}:${serverOf(owner)}`);
  await seeEachOther(roomId, owner, guest);
  return roomId;
}

/** A room that the owner is alone in, with this state beside what such rooms have. */
export async function createRoom(owner: CryptoPerson, state: ICreateRoomStateEvent[]): Promise<string> {
  const { room_id: roomId } = await owner.client.createRoom({ preset: Preset.PrivateChat, initial_state: state });
  await eventually('the room', () => owner.client.getRoom(roomId) !== null);
  return roomId;
}

export const joinRules = (content: ICreateRoomStateEvent['content']): ICreateRoomStateEvent => ({
  type: EventType.RoomJoinRules,
  state_key: '',
  content,
});

export async function seeEachOther(roomId: string, one: CryptoPerson, other: CryptoPerson): Promise<void> {
  for (const person of [one, other])
    for (const { userId } of [one, other]) await membership(person, roomId, userId, 'join');
}

/** Resolves when the person's client says that the user's membership is this one. */
export async function membership(person: CryptoPerson, roomId: string, userId: string, value: string): Promise<void> {
  await eventually(
    `${person.userId} to see ${value} of ${userId}`,
    () => person.client.getRoom(roomId)?.getMember(userId)?.membership === value,
  );
}

export async function invitation({ client, userId }: CryptoPerson, roomId: string): Promise<void> {
  await eventually(`the invitation of ${userId}`, () => client.getRoom(roomId)?.getMyMembership() === 'invite');
}

/** Resolves when the person's own client knows it. */
export async function leave({ client, userId }: CryptoPerson, roomId: string): Promise<void> {
  await client.leave(roomId);
  await eventually(`${userId} to be gone`, () => client.getRoom(roomId)?.getMyMembership() === 'leave');
}

/** The event of a message that is in the person's timeline. */
export function sees(person: CryptoPerson, roomId: string, body: string): Promise<MatrixEvent> {
  return eventually(`"${body}" to be seen by ${person.userId}`, () =>
    timeline(person, roomId).find((event) => event.getContent()['body'] === body),
  );
}

/** The texts of the messages that the person's client shows, in its order. */
export const texts = (person: CryptoPerson, roomId: string): readonly string[] =>
  timeline(person, roomId)
    .filter((event) => event.getType() === 'm.room.message')
    .map((event) => String(event.getContent()['body']));

/** The same of all that there is, as far back as the person's server gives it. */
export async function allTexts(person: CryptoPerson, roomId: string): Promise<readonly string[]> {
  const room = person.room(roomId);
  while (room.oldState.paginationToken !== null) await person.client.scrollback(room, 20);
  return texts(person, roomId);
}

export async function knowsDevices(person: CryptoPerson, userId: string, count: number): Promise<void> {
  await eventually(
    `${person.userId} to know of ${count} devices of ${userId}`,
    async () => (await person.knownDevices(userId)).length === count,
  );
}

/** With its port. */
export const serverOf = ({ userId }: CryptoPerson): string => userId.slice(userId.indexOf(':') + 1);

const timeline = (person: CryptoPerson, roomId: string): readonly MatrixEvent[] =>
  person.client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? [];
