import { expect, it } from 'vitest';
import { finishEvent } from '../../../src/matrix/crypto/finish-event.ts';
import type { RoomId, ServerName } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { RoomVersionId } from '../../../src/matrix/room-versions/rules.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import type { CreateRoomRequest } from '../../../src/rooms/create-room-events.ts';
import { LinkedServers } from './support/linked-rooms.ts';

const [one, two, three] = ['one.test', 'two.test', 'three.test'] as ServerName[];

describeOnBothEngines('joining rooms of other servers', (engine) => {
  const start = async (request: Partial<CreateRoomRequest> = {}) => {
    const links = new LinkedServers();
    const home = links.add(one!, await engine.open(), testPorts(1));
    const away = links.add(two!, await engine.open(), testPorts(2));
    const [alice, bob] = [await home.rooms.user('alice', one), await away.rooms.user('bob', two)];
    const roomId = await home.rooms.createRoom(alice, request);
    const membersAt = async (server: typeof home, who: typeof alice): Promise<JsonObject> =>
      Object.fromEntries(
        (await server.rooms.state(who, roomId))
          .filter(({ type }) => type === 'm.room.member')
          .map(({ state_key: userId, content }) => [userId, content['membership']]),
      );
    return { links, home, away, alice, bob, roomId, membersAt };
  };

  it.each<RoomVersionId>(['1', '3', '6', '10', '11', '12'])('works in room version %s', async (roomVersion) => {
    const { home, away, alice, bob, roomId, membersAt } = await start({ roomVersion, name: 'Far away' });
    await home.rooms.say(alice, roomId, 'before');
    const { next_batch: since } = await away.rooms.syncOnce(bob);
    await away.rooms.rooms.joinRoom(bob, { roomId, via: [one!] });
    const everybody = { [alice.userId]: 'join', [bob.userId]: 'join' };
    expect(await membersAt(home, alice)).toEqual(everybody);
    expect(await membersAt(away, bob)).toEqual(everybody);
    const joined = (await away.rooms.syncOnce(bob, since)).rooms?.join?.[roomId];
    expect(joined?.timeline.events.map(({ type, state_key: key }) => [type, key])).toEqual([
      ['m.room.member', bob.userId],
    ]);
    expect(joined?.state.events.map(({ type }) => type)).toContain('m.room.name');
    expect((await home.rooms.history(alice, roomId)).chunk[0]).toMatchObject({ state_key: bob.userId });
    // Both can go on from there.
    await away.rooms.say(bob, roomId, 'hello');
    await home.rooms.say(alice, roomId, 'welcome');
  });

  it('tries one server after another, and says what the likeliest said', async () => {
    const { links, home, away, alice, bob, roomId } = await start();
    const other = links.add(three!, await engine.open(), testPorts(3));
    await expect(away.rooms.rooms.joinRoom(bob, { roomId, via: [three!] })).rejects.toMatchObject({
      status: 404,
      errcode: 'M_NOT_FOUND',
    });
    links.down.add('gone.test');
    await away.rooms.rooms.joinRoom(bob, { roomId, via: ['gone.test' as ServerName, three!, one!] });
    const closed = await home.rooms.createRoom(alice, { preset: 'private_chat' });
    await expect(away.rooms.rooms.joinRoom(bob, { roomId: closed, via: [three!, one!] })).rejects.toMatchObject({
      status: 403,
      errcode: 'M_FORBIDDEN',
    });
    expect(await other.ctx.dags.find(closed)).toBeUndefined();
    expect(await away.ctx.dags.find(closed)).toBeUndefined();
    await expect(
      away.rooms.rooms.joinRoom(bob, { roomId: '!nowhere:gone.test' as RoomId, via: [] }),
    ).rejects.toMatchObject({ status: 404, errcode: 'M_NOT_FOUND' });
  });

  it('asks the servers that were named, not those that were in the room when somebody of ours was', async () => {
    const { links, away, bob, roomId } = await start();
    links.add(three!, await engine.open(), testPorts(3));
    await away.rooms.rooms.joinRoom(bob, { roomId, via: [one!] });
    await away.rooms.rooms.leaveRoom(bob, { roomId });
    await expect(away.rooms.rooms.joinRoom(bob, { roomId, via: [three!] })).rejects.toMatchObject({ status: 404 });
    await away.rooms.rooms.joinRoom(bob, { roomId });
  });

  it('is done once when two users of a server join at the same time', async () => {
    const { links, away, bob, roomId, alice, home, membersAt } = await start();
    const carol = await away.rooms.user('carol', two);
    await Promise.all([bob, carol].map((user) => away.rooms.rooms.joinRoom(user, { roomId, via: [one!] })));
    expect(links.requests.filter(({ path }) => path.includes('/send_join/'))).toHaveLength(1);
    expect(await membersAt(away, carol)).toMatchObject({ [bob.userId]: 'join', [carol.userId]: 'join' });
    expect(await membersAt(home, alice)).toMatchObject({ [bob.userId]: 'join' });
  });

  it('comes back into a room that went on meanwhile', async () => {
    const { links, home, away, alice, bob, roomId } = await start({ name: 'First' });
    await away.rooms.rooms.joinRoom(bob, { roomId, via: [one!] });
    // The other server does not hear that bob has left by this server's graph alone: he goes through a handshake of its own.
    await home.rooms.rooms.kickUser(alice, { roomId, target: bob.userId });
    await away.rooms.rooms.leaveRoom(bob, { roomId });
    await home.rooms.setState(alice, roomId, 'm.room.name', { name: 'Second' });
    await home.rooms.setState(alice, roomId, 'm.room.topic', { topic: 'New' });
    await away.rooms.rooms.joinRoom(bob, { roomId });
    expect(links.requests.filter(({ path }) => path.includes('/send_join/'))).toHaveLength(2);
    const state = await away.rooms.state(bob, roomId);
    expect(state.find(({ type }) => type === 'm.room.name')?.content).toEqual({ name: 'Second' });
    expect(state.find(({ type }) => type === 'm.room.topic')?.content).toEqual({ topic: 'New' });
    expect((await away.ctx.dags.open(roomId)).frontier().extremities).toBe(1);
    await away.rooms.say(bob, roomId, 'back');
  });

  it('says which servers were in the room before, where memberships are left out', async () => {
    const { home, away, bob, roomId } = await start();
    const requester = { origin: two!, destination: one! };
    const join = async (userId: typeof bob.userId) => {
      const rules = (await home.ctx.dags.open(roomId)).rules;
      const made = { roomId, userId, membership: 'join', versions: [rules.version] } as const;
      const { event } = (await home.memberships.make(requester, made)) as { event: JsonObject };
      const key = away.ctx.localServers.signingKeyOf(two!);
      const { event: signed } = finishEvent({ ...event, origin_server_ts: 1 }, rules, two!, key);
      const handedIn = { roomId, eventId: signed.eventId, pdu: signed.pdu, omitMembers: true };
      const pieces: Buffer[] = [];
      for await (const piece of await home.memberships.sendJoin(requester, handedIn)) pieces.push(piece);
      return JSON.parse(Buffer.concat(pieces).toString()) as JsonObject;
    };
    expect(await join(bob.userId)).toMatchObject({ members_omitted: true, servers_in_room: [one] });
    const carol = await away.rooms.user('carol', two);
    expect(await join(carol.userId)).toMatchObject({ servers_in_room: expect.arrayContaining([one, two]) });
  });

  it('refuses what is no join, and what the room refuses', async () => {
    const { home, away, alice, bob, roomId } = await start();
    const requester = { origin: two!, destination: one! };
    const made = { roomId, userId: bob.userId, membership: 'join', versions: ['12'] } as const;
    await expect(home.memberships.make(requester, { ...made, versions: ['1'] })).rejects.toMatchObject({
      status: 400,
      errcode: 'M_INCOMPATIBLE_ROOM_VERSION',
      extra: { room_version: '12' },
    });
    await expect(home.memberships.make(requester, { ...made, userId: alice.userId })).rejects.toMatchObject({
      status: 403,
    });
    await expect(
      home.memberships.make(requester, { ...made, roomId: '!unknown:one.test' as RoomId }),
    ).rejects.toMatchObject({ status: 404, errcode: 'M_NOT_FOUND' });
    await home.rooms.rooms.banUser(alice, { roomId, target: bob.userId });
    await expect(away.rooms.rooms.joinRoom(bob, { roomId, via: [one!] })).rejects.toMatchObject({
      status: 403,
      errcode: 'M_FORBIDDEN',
    });
  });
});
