import { describe, expect, it } from 'vitest';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';

describe('POST /knock/{roomIdOrAlias}', () => {
  const running = useLoopbackServer();

  const start = async () => {
    const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
    const roomId = await alice.createRoom({
      preset: 'private_chat',
      room_alias_name: 'door',
      initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }],
    });
    return { alice, bob, roomId };
  };
  const knockPath = (idOrAlias: string) => `/knock/${encodeURIComponent(idOrAlias)}`;

  it('knocks by id and by alias, through servers as both names of the parameter have it', async () => {
    const { bob, roomId } = await start();
    for (const path of [
      knockPath(roomId),
      `${knockPath('#door:localhost')}?via=localhost&via=elsewhere.example`,
      `${knockPath(roomId)}?server_name=localhost`,
    ]) {
      expect(await succeeded(bob.post(path, { reason: 'hello' }))).toEqual({ room_id: roomId });
      const { rooms } = await succeeded(bob.get('/sync'));
      expect(rooms).toEqual({ knock: { [roomId]: { knock_state: { events: expect.any(Array) } } } });
      await succeeded(bob.post(`${roomPath(roomId)}/leave`));
    }
  });

  it('answers with the specified errors', async () => {
    const { alice, bob, roomId } = await start();
    const open = await alice.createRoom({ preset: 'public_chat' });
    expect(refusal(await bob.post(knockPath(open)))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await alice.post(knockPath(roomId)))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await bob.post(knockPath('!nowhere:localhost')))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await bob.post(knockPath('#nowhere:localhost')))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await bob.post(knockPath('@bob:localhost')))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await bob.post(knockPath(roomId), { reason: 1 }))).toEqual([400, 'M_BAD_JSON']);
  });

  it('is refused to suspended users, who may still take a knock back', async () => {
    const { bob, roomId } = await start();
    const admin = await TestClient.registerAdministrator(running);
    await succeeded(bob.post(knockPath(roomId)));
    await admin.setSuspended(bob.userId, true);
    expect(refusal(await bob.post(knockPath(roomId), { reason: 'again' }))).toEqual([403, 'M_USER_SUSPENDED']);
    await succeeded(bob.post(`${roomPath(roomId)}/leave`));
  });
});
