import { expect, it } from 'vitest';
import { outgoingDeviceLists } from '../../../src/federation/send/outgoing-device-lists.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { limits } from '../../../src/platform/limits.ts';
import { deviceChangesOf, setDeviceChange } from '../../../src/storage/stores/device-change-store.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { type SendingServer, useSending } from './support/sending-server.ts';

/** https://spec.matrix.org/v1.19/server-server-api/#device-management */
describeOnBothEngines('EDUs about keys', (engine) => {
  const sending = useSending(engine);
  const start = async (options = {}) => {
    const server = await sending.start(options);
    const alice = await server.test.user('alice');
    const first = await server.roomWith(alice, ['one', 'two']);
    await server.roomWith(alice, ['one']);
    const bob = await server.test.user('bob');
    await server.roomWith(bob, ['three']);
    return { server, peers: server.peers, alice, roomId: first, user: alice.userNid };
  };
  const listsOf = ({ test }: SendingServer) => outgoingDeviceLists(true, test.ctx.localServers);
  const change = async (server: SendingServer, user: number, ...deviceIds: readonly string[]): Promise<void> => {
    await server.db.write((unit) => {
      unit.run(setDeviceChange, { user, pos: unit.nextPos() });
      listsOf(server).devicesChanged(unit, user, deviceIds);
    }).committed;
  };
  const streamOf = async ({ db }: SendingServer, user: number): Promise<number | undefined> =>
    (await db.all(deviceChangesOf, { users: [user] }))[0]?.stream_id;
  const sentTo = (server: SendingServer, name: string): readonly JsonObject[] =>
    server.peers.edusTo(name, 'm.device_list_update') as readonly JsonObject[];
  const untilSent = (server: SendingServer, name: string, count: number) =>
    server.ports.until(() => sentTo(server, name).length >= count);

  it('go once to each server that shares a room with the user, each following on the one before', async () => {
    const { server, user } = await start();
    await change(server, user, 'A');
    const first = await streamOf(server, user);
    for (const name of ['one', 'two']) {
      await untilSent(server, name, 1);
      expect(sentTo(server, name)).toEqual([{ user, device_id: 'A', stream_id: first, prev_id: [] }]);
    }
    await server.untilQuiet();
    await change(server, user, 'B', 'C');
    await untilSent(server, 'one', 3);
    const [, second, third] = sentTo(server, 'one');
    expect(second).toMatchObject({ device_id: 'B', prev_id: [first] });
    expect(third).toEqual({
      user,
      device_id: 'C',
      stream_id: await streamOf(server, user),
      prev_id: [second?.['stream_id']],
    });
    await server.untilQuiet();
    expect(sentTo(server, 'three')).toEqual([]);
    expect(await server.eduRows()).toBe(0);
  });

  it('are not there of who never had keys, and nobody waits for those of who shares no room', async () => {
    const { server, user } = await start();
    const carol = await server.test.user('carol');
    await server.db.write((unit) => listsOf(server).devicesChanged(unit, user, ['A'])).committed;
    await change(server, carol.userNid, 'A');
    expect(await server.eduRows()).toBe(0);
    expect(await server.db.dynamic((q) => q.selectFrom('outgoing_edu_server').select('pos'))).toEqual([]);
    expect(await streamOf(server, carol.userNid)).toBeGreaterThan(0);
  });

  it('wait for who is away: the newest alone, which leaves a gap, also after a restart', async () => {
    const { server, peers, user } = await start({ reopenable: true });
    peers.down.set('two', 'unreachable');
    for (const deviceId of ['A', 'B', 'C']) {
      await change(server, user, deviceId);
      await server.untilQuiet();
      await server.ports.advance(limits.federationRetryMsMax);
    }
    await untilSent(server, 'one', 3);
    await server.db.write((unit) => listsOf(server).signingKeysChanged(unit, user)).committed;
    await server.db.write((unit) => listsOf(server).signingKeysChanged(unit, user)).committed;
    await server.untilQuiet();
    expect(await server.eduRows()).toBe(2);
    const next = await sending.killed(server);
    peers.down.clear();
    next.sender.retryNow('two' as ServerName);
    await next.ports.until(() => peers.edusTo('two', 'm.signing_key_update').length > 0);
    const [newest, ...others] = sentTo(next, 'two').filter(({ device_id: id }) => id === 'C');
    expect(others).toEqual([]);
    expect(newest).toMatchObject({ stream_id: await streamOf(next, user) });
    expect(peers.edusTo('two', 'm.signing_key_update')).toEqual([{ user }]);
    await next.untilQuiet();
    expect(await next.eduRows()).toBe(0);
  });

  it('of many devices at once are one, with a gap before it', async () => {
    const { server, user } = await start();
    const deviceIds = Array.from({ length: limits.deviceListEdusMax + 1 }, (_, n) => `D${n}`);
    await change(server, user, ...deviceIds);
    await untilSent(server, 'one', 1);
    await server.untilQuiet();
    const [told, ...others] = sentTo(server, 'one');
    expect(others).toEqual([]);
    expect(told).toMatchObject({ device_id: deviceIds.at(-1), stream_id: await streamOf(server, user) });
    expect(told?.['prev_id']).not.toEqual([]);
  });

  it('make servers that share a room newly ask for the list', async () => {
    const { server, user } = await start();
    await change(server, user, 'A');
    await server.untilQuiet();
    const nids = await server.test.ctx.names.serverNids(['three' as ServerName]);
    await server.db.write((unit) => listsOf(server).introduce(unit, user, 'A', nids)).committed;
    await untilSent(server, 'three', 1);
    const [told] = sentTo(server, 'three');
    const streamId = await streamOf(server, user);
    expect(told).toMatchObject({ device_id: 'A', stream_id: streamId });
    expect(told?.['prev_id']).not.toEqual([]);
    // For the others nothing has changed.
    await server.untilQuiet();
    await change(server, user, 'A');
    await untilSent(server, 'two', 2);
    expect(sentTo(server, 'two')[1]).toMatchObject({ prev_id: [streamId] });
  });

  it('without federation are not kept, but counted', async () => {
    const { server, user } = await start();
    const lists = outgoingDeviceLists(false, server.test.ctx.localServers);
    await server.db.write((unit) => {
      unit.run(setDeviceChange, { user, pos: unit.nextPos() });
      lists.devicesChanged(unit, user, ['A']);
      lists.signingKeysChanged(unit, user);
      lists.introduce(unit, user, 'A', [1]);
    }).committed;
    expect(await server.eduRows()).toBe(0);
    expect(await streamOf(server, user)).toBeGreaterThan(0);
  });
});
