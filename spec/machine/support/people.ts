/** What people with matrix-js-sdk see of a room, whichever servers they are on. */
import type { MatrixEvent } from 'matrix-js-sdk';
import type { CryptoPerson } from '../../journeys/support/crypto-person.ts';
import { eventually } from '../../journeys/support/eventually.ts';

/** With its port. */
export const serverOf = ({ userId }: CryptoPerson): string => userId.slice(userId.indexOf(':') + 1);

export async function seeEachOther(roomId: string, people: readonly CryptoPerson[]): Promise<void> {
  for (const person of people) for (const { userId } of people) await membership(person, roomId, userId, 'join');
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

export async function knowsDevices(person: CryptoPerson, userId: string, count: number): Promise<void> {
  await eventually(
    `${person.userId} to know of ${count} devices of ${userId}`,
    async () => (await person.knownDevices(userId)).length === count,
  );
}

const timeline = (person: CryptoPerson, roomId: string): readonly MatrixEvent[] =>
  person.client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? [];
