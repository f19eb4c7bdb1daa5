/** What people with matrix-js-sdk do who are on different servers. */
import { EventType, Preset } from 'matrix-js-sdk';
import { CryptoPerson } from '../../journeys/support/crypto-person.ts';
import { eventually } from '../../journeys/support/eventually.ts';
import { invitation, seeEachOther, serverOf } from './people.ts';
import type { ServerOfThree, ThreeServers } from './three-servers.ts';

const password = 'correct horse battery';

export function register(servers: ThreeServers, server: ServerOfThree, name: string): Promise<CryptoPerson> {
  return CryptoPerson.register({ baseUrl: servers.of(server).url, name, password });
}

/** A further device. */
export function login(servers: ThreeServers, server: ServerOfThree, name: string): Promise<CryptoPerson> {
  return CryptoPerson.login({ baseUrl: servers.of(server).url, name, password });
}

/** An open room that everybody may change, with an alias, not encrypted. All are in it when this resolves. */
export async function openRoom(alias: string, owner: CryptoPerson, guests: readonly CryptoPerson[]): Promise<string> {
  const { room_id: roomId } = await owner.client.createRoom({
    preset: Preset.PublicChat,
    room_alias_name: alias,
    name: alias,
    power_level_content_override: { users_default: 50 },
  });
  for (const guest of guests) await guest.client.joinRoom(`#${alias}:${serverOf(owner)}`);
  await seeEachOther(roomId, [owner, ...guests]);
  return roomId;
}

/** All are in it when this resolves, and everybody knows of it and of the encryption. */
export async function encryptedRoom(owner: CryptoPerson, guests: readonly CryptoPerson[]): Promise<string> {
  const { room_id: roomId } = await owner.client.createRoom({
    preset: Preset.PrivateChat,
    invite: guests.map(({ userId }) => userId),
  });
  for (const guest of guests) {
    await invitation(guest, roomId);
    await guest.client.joinRoom(roomId);
  }
  await seeEachOther(roomId, [owner, ...guests]);
  for (const { userId, client } of [owner, ...guests])
    await eventually(`${userId} to know of the encryption`, () => client.getRoom(roomId)?.hasEncryptionStateEvent());
  return roomId;
}

/** A direct chat, which clients encrypt. Resolves when both are in it. */
export async function directChat(owner: CryptoPerson, guest: CryptoPerson): Promise<string> {
  const { room_id: roomId } = await owner.client.createRoom({
    preset: Preset.TrustedPrivateChat,
    is_direct: true,
    invite: [guest.userId],
  });
  await invitation(guest, roomId);
  const inviter = guest.room(roomId).getDMInviter();
  if (inviter !== owner.userId) throw new Error(`the invitation to a direct chat is of ${inviter}`);
  await guest.client.setAccountData(EventType.Direct, { [inviter]: [roomId] });
  await guest.client.joinRoom(roomId);
  await seeEachOther(roomId, [owner, guest]);
  await eventually('the encryption', () => guest.client.getRoom(roomId)?.hasEncryptionStateEvent());
  return roomId;
}
