/** What users of ours and of a Synapse do together, each journey once from here and once from there. Needs root and Debian's matrix-synapse. */
import { Preset } from 'matrix-js-sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CryptoPerson } from '../journeys/support/crypto-person.ts';
import { eventually } from '../journeys/support/eventually.ts';
import { invitation, membership, openRoom, sees, texts } from './support/people-of-two.ts';
import {
  type EitherServer,
  register,
  startVecheAndSynapse,
  type VecheAndSynapse,
} from './support/veche-and-synapse.ts';

let servers: VecheAndSynapse;
const people: CryptoPerson[] = [];
let registered = 0;
beforeAll(async () => {
  servers = await startVecheAndSynapse();
});
afterEach(() => {
  for (const person of people.splice(0)) person.stop();
});
afterAll(() => servers?.close());

async function started(person: Promise<CryptoPerson>): Promise<CryptoPerson> {
  people.push(await person);
  return person;
}

const person = (server: EitherServer): Promise<CryptoPerson> => started(register(server, `person${++registered}`));

describe.each([
  ['veche', 'synapse'],
  ['synapse', 'veche'],
] as const)('users of %s and guests of %s', (here, there) => {
  let owner: CryptoPerson;
  let guest: CryptoPerson;
  beforeEach(async () => {
    owner = await person(servers[here]);
    guest = await person(servers[there]);
  });

  it('talk in a public room that has an alias', async () => {
    const roomId = await openRoom(owner, guest);
    const said: string[] = [];
    for (let turn = 1; turn <= 3; turn++)
      for (const speaker of [owner, guest]) {
        const body = `${turn} of ${speaker.userId}`;
        await speaker.say(roomId, body);
        said.push(body);
        for (const reader of [owner, guest]) await sees(reader, roomId, body);
      }
    for (const reader of [owner, guest]) expect(texts(reader, roomId)).toEqual(said);
  });

  it('accept invitations, decline them, and have them withdrawn', async () => {
    const { room_id: roomId } = await owner.client.createRoom({ preset: Preset.PrivateChat, name: 'the office' });
    await owner.client.invite(roomId, guest.userId);
    await invitation(guest, roomId);
    expect(guest.room(roomId).name).toBe('the office');
    await guest.client.leave(roomId);
    await membership(owner, roomId, guest.userId, 'leave');

    await owner.client.invite(roomId, guest.userId);
    await invitation(guest, roomId);
    await owner.client.kick(roomId, guest.userId, 'a mistake');
    await eventually('the withdrawal', () => guest.client.getRoom(roomId)?.getMyMembership() === 'leave');

    await owner.client.invite(roomId, guest.userId);
    await invitation(guest, roomId);
    await guest.client.joinRoom(roomId);
    await membership(owner, roomId, guest.userId, 'join');
    await membership(guest, roomId, owner.userId, 'join');
    await guest.say(roomId, 'here I am');
    await sees(owner, roomId, 'here I am');
    await owner.say(roomId, 'welcome');
    await sees(guest, roomId, 'welcome');
  });
});
