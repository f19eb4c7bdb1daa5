import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { CrossSigning, KeyDevice } from '../../encryption/support/key-device.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { type FederatedServers, startFederatedServers } from '../../support/federated-servers.ts';
import { passwordAuth } from '../../support/test-accounts.ts';

/** https://spec.matrix.org/v1.19/server-server-api/#device-management */
describeOnBothEngines('device lists across servers', (engine) => {
  const run = async (
    names: readonly string[],
    work: (servers: FederatedServers) => Promise<void>,
    config: Readonly<Record<string, string>> = { federation: '{ device_names: true }' },
  ): Promise<void> => {
    const servers = await startFederatedServers(names, { engine, isOnDisk: true, config });
    try {
      await work(servers);
    } finally {
      await servers.close();
    }
  };
  const patience = { timeout: 60_000 };
  const userOn = async (servers: FederatedServers, name: string, localpart: string): Promise<KeyDevice> => {
    const device = await KeyDevice.register(servers.get(name), localpart);
    await device.uploadKeys();
    return device;
  };
  const joinFrom = (device: KeyDevice, roomId: string, server: string): Promise<JsonObject> =>
    device.done('POST', `/join/${encodeURIComponent(roomId)}?server_name=${server}`, {});
  const roomOf = async (device: KeyDevice, isEncrypted = true): Promise<string> => {
    const content = { algorithm: 'm.megolm.v1.aes-sha2' };
    const initial_state = isEncrypted ? [{ type: 'm.room.encryption', state_key: '', content }] : [];
    const room = await device.done('POST', '/createRoom', { preset: 'public_chat', initial_state });
    return String(room['room_id']);
  };
  const devicesOf = async (asking: KeyDevice, userId: string): Promise<Record<string, JsonObject>> => {
    const { device_keys: found } = await asking.query(userId);
    return (found as Record<string, Record<string, JsonObject>>)[userId] ?? {};
  };
  /** Goes on syncing until somebody is named. Gives the token then. */
  const untilNamed = async (device: KeyDevice, kind: 'changed' | 'left', userId: string, since: string) => {
    for (let round = 0, from = since; round < 60; round++) {
      const answer = await device.sync(from, 1_000);
      if (answer.device_lists?.[kind].includes(userId) === true) return answer.next_batch;
      from = answer.next_batch;
    }
    throw new Error(`${userId} was not among ${kind}`);
  };
  const asked = (servers: FederatedServers, from: string, what: string): number =>
    servers.passed.filter((request) => request.from === from && request.uri.includes(what) && request.status === 200)
      .length;
  const untilQuiet = async (servers: FederatedServers): Promise<void> => {
    const { remoteLists } = servers.get('one.test').server.encryption;
    await expect.poll(() => remoteLists.isQuiet(), patience).toBe(true);
  };
  const keysAsked = (servers: FederatedServers) => asked(servers, 'one.test', '/user/keys/query');
  const listsAsked = (servers: FederatedServers) => asked(servers, 'one.test', '/user/devices/');

  it('are kept, told of, and answered from what is kept', () =>
    run(['one.test', 'two.test'], async (servers) => {
      const [alice, bob] = [await userOn(servers, 'one.test', 'alice'), await userOn(servers, 'two.test', 'bob')];
      const roomId = await roomOf(alice);
      const { next_batch: before } = await alice.sync();
      await joinFrom(bob, roomId, 'one.test');
      let since = await untilNamed(alice, 'changed', bob.userId, before);
      // The list of somebody who comes to an encrypted room is asked for before anybody wants it.
      await expect.poll(() => listsAsked(servers), patience).toBeGreaterThan(0);
      await untilQuiet(servers);
      expect(Object.keys(await devicesOf(alice, bob.userId))).toEqual([bob.deviceId]);
      expect(keysAsked(servers)).toBe(0);
      ({ next_batch: since } = await alice.sync(since));

      const phone = await bob.anotherDevice({ initial_device_display_name: 'phone' });
      await phone.uploadKeys();
      since = await untilNamed(alice, 'changed', bob.userId, since);
      const named = { ...phone.deviceKeys(), unsigned: { device_display_name: 'phone' } };
      expect((await devicesOf(alice, bob.userId))[phone.deviceId]).toEqual(named);
      await phone.done('PUT', `/devices/${phone.deviceId}`, { display_name: 'old phone' });
      since = await untilNamed(alice, 'changed', bob.userId, since);
      expect((await devicesOf(alice, bob.userId))[phone.deviceId]).toMatchObject({
        unsigned: { device_display_name: 'old phone' },
      });
      await phone.done('POST', '/logout');
      since = await untilNamed(alice, 'changed', bob.userId, since);
      expect(Object.keys(await devicesOf(alice, bob.userId))).toEqual([bob.deviceId]);
      expect(keysAsked(servers)).toBe(0);

      // What is kept is good also while the other server is away.
      servers.cut('one.test', 'two.test');
      expect(await alice.query(bob.userId)).toMatchObject({
        failures: {},
        device_keys: { [bob.userId]: { [bob.deviceId]: {} } },
      });
    }));

  it('with cross-signing keys and signatures, those of our users included', () =>
    run(['one.test', 'two.test'], async (servers) => {
      const [alice, bob] = [await userOn(servers, 'one.test', 'alice'), await userOn(servers, 'two.test', 'bob')];
      await joinFrom(bob, await roomOf(alice), 'one.test');
      await devicesOf(alice, bob.userId);
      await untilQuiet(servers);
      let { next_batch: since } = await alice.sync();
      const [ofAlice, ofBob] = [new CrossSigning(alice), new CrossSigning(bob)];
      await alice.done('POST', '/keys/device_signing/upload', { ...ofAlice.upload, auth: passwordAuth('alice') });
      await bob.done('POST', '/keys/device_signing/upload', { ...ofBob.upload, auth: passwordAuth('bob') });
      const masterSeen = async () =>
        ((await alice.query(bob.userId))['master_keys'] as Record<string, JsonObject>)[bob.userId];
      since = await untilNamed(alice, 'changed', bob.userId, since);
      await expect.poll(masterSeen, patience).toEqual(ofBob.masterKey);
      const signed = ofAlice.signUser(ofBob);
      await alice.done('POST', '/keys/signatures/upload', { [bob.userId]: { [ofBob.master.publicKey]: signed } });
      expect(await masterSeen()).toEqual(signed);
      const signedDevice = ofBob.signDevice(bob);
      ({ next_batch: since } = await alice.sync(since));
      await bob.done('POST', '/keys/signatures/upload', { [bob.userId]: { [bob.deviceId]: signedDevice } });
      since = await untilNamed(alice, 'changed', bob.userId, since);
      await expect
        .poll(async () => Object.keys(signaturesOf((await devicesOf(alice, bob.userId))[bob.deviceId], bob)), patience)
        .toHaveLength(2);
      expect(await masterSeen()).toEqual(signed);
      expect(keysAsked(servers)).toBe(0);
    }));

  it('arrive after an outage and a restart of both, many changes by one question', () =>
    run(['one.test', 'two.test'], async (servers) => {
      const [alice, bob] = [await userOn(servers, 'one.test', 'alice'), await userOn(servers, 'two.test', 'bob')];
      const roomId = await roomOf(alice);
      await joinFrom(bob, roomId, 'one.test');
      await expect.poll(() => listsAsked(servers), patience).toBeGreaterThan(0);
      await untilQuiet(servers);
      const lists = listsAsked(servers);
      const { next_batch: since } = await alice.sync();
      servers.cut('one.test', 'two.test');
      const devices = [bob.deviceId];
      for (let n = 0; n < 3; n++) {
        const device = await bob.anotherDevice();
        await device.uploadKeys();
        devices.push(device.deviceId);
      }
      await servers.restart('two.test');
      await servers.restart('one.test');
      servers.mend('one.test', 'two.test');
      await untilNamed(alice, 'changed', bob.userId, since);
      await expect
        .poll(async () => Object.keys(await devicesOf(alice, bob.userId)).toSorted(), patience)
        .toEqual(devices.toSorted());
      await untilQuiet(servers);
      expect(listsAsked(servers)).toBe(lists + 1);
    }));

  it('are not kept of who shares no room, and asked for anew when they come back', () =>
    run(['one.test', 'two.test', 'three.test'], async (servers) => {
      const [alice, bob, carol] = [
        await userOn(servers, 'one.test', 'alice'),
        await userOn(servers, 'two.test', 'bob'),
        await userOn(servers, 'three.test', 'carol'),
      ];
      const roomId = await roomOf(alice, false);
      await joinFrom(bob, roomId, 'one.test');
      await joinFrom(carol, roomId, 'one.test');
      const { next_batch: start } = await alice.sync();
      expect(Object.keys(await devicesOf(alice, bob.userId))).toEqual([bob.deviceId]);
      await untilQuiet(servers);
      const lists = listsAsked(servers);
      expect(lists).toBeGreaterThan(0);
      await bob.leave(roomId);
      let since = await untilNamed(alice, 'left', bob.userId, start);
      const phone = await bob.anotherDevice();
      await phone.uploadKeys();
      const both = [bob.deviceId, phone.deviceId].toSorted();
      const before = keysAsked(servers);
      expect(Object.keys(await devicesOf(alice, bob.userId)).toSorted()).toEqual(both);
      expect(keysAsked(servers)).toBe(before + 1);
      expect((await alice.sync(since)).device_lists?.changed ?? []).not.toContain(bob.userId);
      await joinFrom(bob, roomId, 'one.test');
      since = await untilNamed(alice, 'changed', bob.userId, since);
      await devicesOf(alice, bob.userId);
      await expect.poll(() => listsAsked(servers), patience).toBeGreaterThan(lists);
      // Whoever is in a room with both hears of both, on whichever server.
      const { next_batch: ofCarol } = await carol.sync();
      await alice.done('PUT', `/devices/${alice.deviceId}`, { display_name: 'new name' });
      await untilNamed(carol, 'changed', alice.userId, ofCarol);
      await bob.done('PUT', `/devices/${bob.deviceId}`, { display_name: 'new name' });
      await untilNamed(carol, 'changed', bob.userId, ofCarol);
    }));

  it('come without names of devices, unless the operator says otherwise', () =>
    run(
      ['one.test', 'two.test'],
      async (servers) => {
        const [alice, bob] = [await userOn(servers, 'one.test', 'alice'), await userOn(servers, 'two.test', 'bob')];
        await bob.done('PUT', `/devices/${bob.deviceId}`, { display_name: 'secret' });
        expect(await devicesOf(alice, bob.userId)).toMatchObject({ [bob.deviceId]: { unsigned: {} } });
        await joinFrom(bob, await roomOf(alice), 'one.test');
        await expect.poll(() => listsAsked(servers), patience).toBeGreaterThan(0);
        const { next_batch: since } = await alice.sync();
        await bob.done('PUT', `/devices/${bob.deviceId}`, { display_name: 'another secret' });
        const phone = await bob.anotherDevice({ initial_device_display_name: 'third secret' });
        await phone.uploadKeys();
        await untilNamed(alice, 'changed', bob.userId, since);
        await expect.poll(async () => Object.keys(await devicesOf(alice, bob.userId)), patience).toHaveLength(2);
        expect(JSON.stringify(await devicesOf(alice, bob.userId))).not.toContain('secret');
      },
      {},
    ));
});

const signaturesOf = (keys: JsonObject | undefined, { userId }: KeyDevice): JsonObject =>
  ((keys?.['signatures'] as JsonObject | undefined)?.[userId] ?? {}) as JsonObject;
