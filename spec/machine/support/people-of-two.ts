/** What people with matrix-js-sdk do who are on two servers. */
import { EventType, type ICreateRoomStateEvent, Preset } from 'matrix-js-sdk';
import type { CryptoPerson } from '../../journeys/support/crypto-person.ts';
import { eventually } from '../../journeys/support/eventually.ts';
import { seeEachOther, serverOf, texts } from './people.ts';

/** A public room, not encrypted, that the guest joins by its alias. Both are in it when this resolves, and see each other. */
export async function openRoom(owner: CryptoPerson, guest: CryptoPerson, version?: string): Promise<string> {
  const alias = `room-of-${owner.userId.slice(1, owner.userId.indexOf(':'))}`;
  const { room_id: roomId } = await owner.client.createRoom({
    preset: Preset.PublicChat,
    room_alias_name: alias,
    ...(version === undefined ? {} : { room_version: version }),
  });
  await guest.client.joinRoom(`#${alias}:${serverOf(owner)}`);
  await seeEachOther(roomId, [owner, guest]);
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

/** Resolves when the person's own client knows it. */
export async function leave({ client, userId }: CryptoPerson, roomId: string): Promise<void> {
  await client.leave(roomId);
  await eventually(`${userId} to be gone`, () => client.getRoom(roomId)?.getMyMembership() === 'leave');
}

/** The texts of all messages that there are, as far back as the person's server gives it. */
export async function allTexts(person: CryptoPerson, roomId: string): Promise<readonly string[]> {
  const room = person.room(roomId);
  while (room.oldState.paginationToken !== null) await person.client.scrollback(room, 20);
  return texts(person, roomId);
}
