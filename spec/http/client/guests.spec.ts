import { afterEach, describe, expect, it } from 'vitest';
import { type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { roomPath, succeeded, TestClient } from '../../support/test-client.ts';

const forbidden = [403, 'M_GUEST_ACCESS_FORBIDDEN'];
const done = [200, undefined];
const registration = '{ enabled: true, allow_guests: true }';

describe('guests where they are not allowed', () => {
  it('are refused before anything they say is read', async () => {
    const server = await startLoopbackServer();
    const nobody = TestClient.nobody(server);
    expect(refusal(await nobody.call('POST', '/register?kind=guest', { username: 7 }))).toEqual(forbidden);
    await server.close();
  });
});

describeOnBothEngines('guests', (engine) => {
  const running: LoopbackServer[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.close()));
  });
  const start = async (config = registration): Promise<LoopbackServer> => {
    const database = await engine.freshOptions();
    const postgres = database.engine === 'postgres' ? { postgresUrl: database.url } : {};
    const server = await startLoopbackServer({ config: { registration: config }, ...postgres });
    running.push(server);
    return server;
  };
  const guestOf = async (server: LoopbackServer, body = {}): Promise<TestClient> => {
    const registered = TestClient.nobody(server).call('POST', '/register?kind=guest', body);
    return TestClient.withToken(server, String((await succeeded(registered))['access_token']));
  };
  const openRoom = async (owner: TestClient): Promise<string> => {
    const roomId = await owner.createRoom({ preset: 'public_chat' });
    await owner.setState(roomId, 'm.room.guest_access', { guest_access: 'can_join' });
    return roomId;
  };
  const membershipOf = async (reader: TestClient, roomId: string, userId: string): Promise<unknown> => {
    const { json } = await reader.get(`${roomPath(roomId)}/state/m.room.member/${encodeURIComponent(userId)}`);
    return json['membership'];
  };

  it('register with nothing but a name for their device, whatever else they say', async () => {
    const server = await start('{ enabled: false, allow_guests: true }');
    const wrong = {
      username: 'alice',
      password: 5,
      device_id: 'MINE',
      inhibit_login: 'x',
      auth: 1,
      refresh_token: true,
    };
    const registered = TestClient.nobody(server).call('POST', '/register?kind=guest', {
      ...wrong,
      initial_device_display_name: 'Kiosk',
    });
    const session = await succeeded(registered);
    expect(session['user_id']).toMatch(/^@[a-z0-9]{12}:localhost$/);
    expect(session).not.toHaveProperty('refresh_token');
    expect(session['device_id']).not.toBe('MINE');
    const guest = await TestClient.withToken(server, String(session['access_token']));
    expect((await guest.get('/account/whoami')).json).toEqual({
      user_id: session['user_id'],
      device_id: session['device_id'],
      is_guest: true,
    });
    expect((await guest.get('/devices')).json).toMatchObject({ devices: [{ display_name: 'Kiosk' }] });
  });

  it('enter only rooms that let guests in, and speak there', async () => {
    const server = await start();
    const alice = await TestClient.register(server, 'alice');
    const guest = await guestOf(server);
    const closed = await alice.createRoom({ preset: 'public_chat' });
    const state = `${roomPath(closed)}/state/m.room.member/${encodeURIComponent(guest.userId)}`;
    expect(refusal(await guest.post(`${roomPath(closed)}/join`))).toEqual(forbidden);
    expect(refusal(await guest.put(state, { membership: 'join' }))).toEqual(forbidden);
    const open = await openRoom(alice);
    expect(refusal(await guest.post(`${roomPath(open)}/join`))).toEqual(done);
    await guest.say(open, 'good day');
    const { json } = await guest.get(`${roomPath(open)}/messages`, { dir: 'b', limit: '1' });
    expect(json).toMatchObject({ chunk: [{ sender: guest.userId, content: { body: 'good day' } }] });
    expect(refusal(await guest.post(`${roomPath(open)}/leave`))).toEqual(done);
    expect(await membershipOf(alice, open, guest.userId)).toBe('leave');
  });

  it('do nothing that the specification does not list', async () => {
    const server = await start();
    const alice = await TestClient.register(server, 'alice');
    const guest = await guestOf(server);
    const own = encodeURIComponent(guest.userId);
    const room = roomPath(await openRoom(alice));
    await succeeded(guest.post(`${room}/join`));
    expect(refusal(await guest.put(`/profile/${own}/displayname`, { displayname: 'Visitor' }))).toEqual(done);
    expect(refusal(await guest.put(`/profile/${own}/avatar_url`, { avatar_url: 'mxc://a/b' }))).toEqual(forbidden);
    expect(refusal(await guest.post('/createRoom'))).toEqual(forbidden);
    expect(refusal(await guest.post(`${room}/invite`, { user_id: alice.userId }))).toEqual(forbidden);
    expect(refusal(await guest.post('/user_directory/search', { search_term: 'a' }))).toEqual(forbidden);
    expect(refusal(await guest.get('/pushrules/'))).toEqual(forbidden);
    const delayed = '/send/m.room.message/1?org.matrix.msc4140.delay=1000';
    expect(refusal(await guest.put(room + delayed, { msgtype: 'm.text', body: 'later' }))).toEqual(forbidden);
    const mutual = `/../v1/mutual_rooms?user_id=${encodeURIComponent(alice.userId)}`;
    expect(refusal(await guest.call('GET', mutual))).toEqual(forbidden);
    // What nobody needs an account for.
    expect((await guest.call('GET', '/../versions')).status).toBe(200);
  });

  it('leave when a room is closed to them, and others stay', async () => {
    const server = await start();
    const [alice, bob] = [await TestClient.register(server, 'alice'), await TestClient.register(server, 'bob')];
    for (const close of [
      (room: string) => alice.setState(room, 'm.room.guest_access', { guest_access: 'forbidden' }),
      async (room: string, opening: string) => {
        const path = `${roomPath(room)}/redact/${encodeURIComponent(opening)}/1`;
        return String((await succeeded(alice.put(path)))['event_id']);
      },
    ]) {
      const guest = await guestOf(server);
      const roomId = await alice.createRoom({ preset: 'public_chat' });
      const opening = await alice.setState(roomId, 'm.room.guest_access', { guest_access: 'can_join' });
      for (const person of [bob, guest]) await succeeded(person.post(`${roomPath(roomId)}/join`));
      await close(roomId, opening);
      await expect.poll(() => membershipOf(alice, roomId, guest.userId), { timeout: 20_000 }).toBe('leave');
      expect(await membershipOf(alice, roomId, bob.userId)).toBe('join');
      expect(refusal(await guest.post(`${roomPath(roomId)}/join`))).toEqual(forbidden);
    }
  });

  it('become users, who keep their name, rooms and devices', async () => {
    const server = await start();
    const alice = await TestClient.register(server, 'alice');
    const guest = await guestOf(server);
    const roomId = await openRoom(alice);
    await succeeded(guest.post(`${roomPath(roomId)}/join`));
    const username = guest.userId.slice(1, guest.userId.indexOf(':'));
    const upgrade = (body: object) =>
      TestClient.nobody(server).call('POST', '/register', {
        password: passwordOfTests,
        username,
        auth: { type: 'm.login.dummy' },
        guest_access_token: guest.token ?? '',
        ...body,
      });
    expect(refusal(await upgrade({ username: 'somebody' }))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await upgrade({ guest_access_token: 'unknown' }))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await upgrade({ username: 'alice', guest_access_token: alice.token ?? '' }))).toEqual([
      403,
      'M_FORBIDDEN',
    ]);
    const session = await succeeded(upgrade({}));
    expect(session['user_id']).toBe(guest.userId);
    for (const token of [session['access_token'], guest.token]) {
      const user = await TestClient.withToken(server, String(token));
      expect((await user.get('/account/whoami')).json).toMatchObject({ user_id: guest.userId, is_guest: false });
      expect((await user.get('/joined_rooms')).json).toEqual({ joined_rooms: [roomId] });
    }
    const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user: username } };
    const loggedIn = TestClient.nobody(server).call('POST', '/login', { ...login, password: passwordOfTests });
    expect(refusal(await loggedIn)).toEqual(done);
    expect(refusal(await upgrade({}))).toEqual([403, 'M_FORBIDDEN']);
    await alice.setState(roomId, 'm.room.guest_access', { guest_access: 'forbidden' });
    await alice.say(roomId, 'users stay');
    expect(await membershipOf(alice, roomId, guest.userId)).toBe('join');
  });
});
