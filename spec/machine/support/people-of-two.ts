/** What people with matrix-js-sdk do who are on two servers. */
import { type MatrixEvent, Preset } from 'matrix-js-sdk';
import type { CryptoPerson } from '../../journeys/support/crypto-person.ts';
import { eventually } from '../../journeys/support/eventually.ts';

/** A public room, not encrypted, that the guest joins by its alias. Both are in it when this resolves, and see each other. */
export async function openRoom(owner: CryptoPerson, guest: CryptoPerson): Promise<string> {
  const alias = `room-of-${owner.userId.slice(1, owner.userId.indexOf(':'))}`;
  const { room_id: roomId } = await owner.client.createRoom({ preset: Preset.PublicChat, room_alias_name: alias });
  await guest.client.joinRoom(`#${alias}:${serverOf(owner)}`);
  await seeEachOther(roomId, owner, guest);
  return roomId;
}

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

/** With its port. */
export const serverOf = ({ userId }: CryptoPerson): string => userId.slice(userId.indexOf(':') + 1);

const timeline = (person: CryptoPerson, roomId: string): readonly MatrixEvent[] =>
  person.client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? [];
