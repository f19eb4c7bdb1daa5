import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { alice, bob, FarRoom, near } from './support/far-room.ts';
import { NearServer } from './support/near-server.ts';

const settings: Record<string, readonly [string, JsonObject]> = {
  blocks: ['m.invite_permission_config', { default_action: 'block' }],
  ignores: ['m.ignored_user_list', { ignored_users: { [alice]: {} } }],
};

describeOnBothEngines('an invite that comes by a transaction', (engine) => {
  const start = async () => {
    const room = FarRoom.withMembers();
    const server = new NearServer(await engine.open(), room);
    await server.take(room);
    const carol = await server.test.user('carol', near);
    return { room, server, carol };
  };

  it('is shown to the invited', async () => {
    const { room, server, carol } = await start();
    const invite = room.member(alice, carol.userId, 'invite');
    expect(await server.send([invite])).toEqual({ [invite.event.eventId]: null });
    expect((await server.test.syncOnce(carol)).rooms?.invite?.[room.roomId]).toBeDefined();
    await server.close();
  });

  it.each(Object.keys(settings))('is part of the room, and not shown to somebody who %s its sender', async (name) => {
    const { room, server, carol } = await start();
    const [type, content] = settings[name]!;
    await server.test.setAccountData(carol, type, content);
    const { next_batch: since } = await server.test.syncOnce(carol);
    const invite = room.member(alice, carol.userId, 'invite');
    expect(await server.send([invite])).toEqual({ [invite.event.eventId]: null });
    for (const from of [since, undefined])
      expect((await server.test.syncOnce(carol, from)).rooms?.invite?.[room.roomId]).toBeUndefined();
    // Others in the room know of it, and what builds on it comes in.
    const state = await server.test.state(await server.bob(), room.roomId);
    expect(state.find((event) => event.state_key === carol.userId)?.content).toEqual({ membership: 'invite' });
    await server.send([room.say(alice, 'next')]);
    expect(await server.messages(room)).toEqual(['next']);
    await server.close();
  });

  it('is none of a room that nobody of ours is in', async () => {
    const { room, server, carol } = await start();
    await server.send([room.member(alice, bob, 'leave')]);
    const invite = room.member(alice, carol.userId, 'invite');
    expect(await server.send([invite])).toEqual({ [invite.event.eventId]: 'This server is not in the room' });
    expect((await server.test.syncOnce(carol)).rooms?.invite?.[room.roomId]).toBeUndefined();
    await server.close();
  });
});
