import { expect, it } from 'vitest';
import { describeOnBothEngines } from '../support/databases.ts';
import { passwordAuth } from '../support/test-accounts.ts';
import { CrossSigning, type DeviceLists, KeyDevice, oneTimeKeys } from './support/key-device.ts';
import { serverOn } from './support/server-on.ts';

/** https://spec.matrix.org/v1.19/client-server-api/#tracking-the-device-list-for-a-user */
describeOnBothEngines('device lists in sync', (engine) => {
  const startServer = serverOn(engine);
  const start = async () => {
    const server = await startServer();
    const register = async (name: string): Promise<KeyDevice> => {
      const device = await KeyDevice.register(server, name);
      await device.uploadKeys();
      return device;
    };
    const [alice, bob] = [await register('alice'), await register('bob')];
    return { server, register, alice, bob };
  };
  const listsOf = async (device: KeyDevice, since: string): Promise<DeviceLists | undefined> => {
    const lists = (await device.sync(since)).device_lists;
    const { text } = await device.call('GET', `/keys/changes?from=${since}&to=${since}`);
    const { changed, left } = JSON.parse(text) as DeviceLists;
    const sorted = { changed: changed.toSorted(), left: left.toSorted() };
    if (lists === undefined) expect(sorted).toEqual({ changed: [], left: [] });
    else expect(sorted).toEqual({ changed: lists.changed.toSorted(), left: lists.left.toSorted() });
    return lists;
  };

  it('name those who share a room and changed their keys, as often as a token is used', async () => {
    const { alice, bob, register } = await start();
    const carol = await register('carol');
    await alice.createRoom(bob);
    const first = await alice.sync();
    expect(first).not.toHaveProperty('device_lists');
    expect(await listsOf(alice, first.next_batch)).toBeUndefined();
    const changedBob = { changed: [bob.userId], left: [] };
    const phone = await bob.anotherDevice();
    expect(await listsOf(alice, first.next_batch)).toBeUndefined();
    await phone.uploadKeys();
    await carol.uploadKeys();
    expect(await listsOf(alice, first.next_batch)).toEqual(changedBob);
    expect(await listsOf(alice, first.next_batch)).toEqual(changedBob);
    const second = await alice.sync(first.next_batch);
    expect(await listsOf(alice, second.next_batch)).toBeUndefined();
    expect(await listsOf(alice, first.next_batch)).toEqual(changedBob);
    // One-time keys are no change of a device list.
    await phone.uploadKeys({ one_time_keys: oneTimeKeys('A'), fallback_keys: oneTimeKeys('F') });
    expect(await listsOf(alice, second.next_batch)).toBeUndefined();
    await phone.done('PUT', `/devices/${phone.deviceId}`, { display_name: 'new name' });
    expect(await listsOf(alice, second.next_batch)).toEqual(changedBob);
    const third = await alice.sync(second.next_batch);
    await phone.done('POST', '/logout');
    expect(await listsOf(alice, third.next_batch)).toEqual(changedBob);
  });

  it('wake those who wait', async () => {
    const { alice, bob } = await start();
    await alice.createRoom(bob);
    const { next_batch: since } = await alice.sync();
    const { next_batch: ofBob } = await bob.sync();
    const waiting = alice.sync(since, 30_000);
    const phone = await bob.anotherDevice();
    await phone.uploadKeys();
    expect((await waiting).device_lists).toEqual({ changed: [bob.userId], left: [] });
    // The user's own other devices hear of it, too.
    expect(await listsOf(bob, ofBob)).toEqual({ changed: [bob.userId], left: [] });
  });

  it('name those who share a room newly, and those who share none any more', async () => {
    const { alice, bob, register } = await start();
    const carol = await register('carol');
    const [{ next_batch: ofAlice }, { next_batch: ofBob }] = [await alice.sync(), await bob.sync()];
    const roomId = await alice.createRoom(bob);
    expect(await listsOf(alice, ofAlice)).toEqual({ changed: [bob.userId], left: [] });
    expect((await listsOf(bob, ofBob))?.changed).toContain(alice.userId);
    const together = [await alice.sync(), await bob.sync()] as const;
    const other = await alice.createRoom(bob, carol);
    await bob.leave(roomId);
    expect((await listsOf(alice, together[0].next_batch))?.left).toEqual([]);
    expect((await listsOf(bob, together[1].next_batch))?.left).toEqual([]);
    const apart = [await alice.sync(), await bob.sync(), await carol.sync()] as const;
    await bob.leave(other);
    expect(await listsOf(alice, apart[0].next_batch)).toEqual({ changed: [], left: [bob.userId] });
    expect(await listsOf(carol, apart[2].next_batch)).toEqual({ changed: [], left: [bob.userId] });
    const gone = await listsOf(bob, apart[1].next_batch);
    expect(gone?.changed).toEqual([]);
    expect(gone?.left.toSorted()).toEqual([alice.userId, carol.userId]);
    // What happens to their keys meanwhile is told when they meet again.
    const { next_batch: alone } = await alice.sync();
    await bob.uploadKeys({ device_keys: bob.deviceKeys() });
    expect(await listsOf(alice, alone)).toBeUndefined();
    await bob.join(other);
    expect(await listsOf(alice, alone)).toEqual({ changed: [bob.userId], left: [] });
  });

  it('tell nobody who is in a room that one was only invited to', async () => {
    const { alice, bob } = await start();
    const room = await alice.done('POST', '/createRoom', { preset: 'private_chat' });
    const { next_batch: since } = await bob.sync();
    await alice.done('POST', `/rooms/${encodeURIComponent(String(room['room_id']))}/invite`, { user_id: bob.userId });
    await bob.leave(String(room['room_id']));
    expect(await listsOf(bob, since)).toBeUndefined();
  });

  it('name users whose cross-signing keys changed, and those whom one signed', async () => {
    const { alice, bob } = await start();
    await alice.createRoom(bob);
    const [ofAlice, ofBob] = [new CrossSigning(alice), new CrossSigning(bob)];
    const { next_batch: before } = await alice.sync();
    await bob.done('POST', '/keys/device_signing/upload', ofBob.upload);
    expect(await listsOf(alice, before)).toEqual({ changed: [bob.userId], left: [] });
    await alice.done('POST', '/keys/device_signing/upload', ofAlice.upload);
    const [since, sinceOfBob] = [(await alice.sync()).next_batch, (await bob.sync()).next_batch];
    const signed = { [bob.userId]: { [ofBob.master.publicKey]: ofAlice.signUser(ofBob) } };
    await alice.done('POST', '/keys/signatures/upload', signed);
    expect(await listsOf(alice, since)).toEqual({ changed: [bob.userId], left: [] });
    expect(await listsOf(bob, sinceOfBob)).toBeUndefined();
    const { next_batch: later } = await alice.sync();
    await bob.done('POST', '/keys/signatures/upload', { [bob.userId]: { [bob.deviceId]: ofBob.signDevice(bob) } });
    expect(await listsOf(alice, later)).toEqual({ changed: [bob.userId], left: [] });
    const last = (await alice.sync()).next_batch;
    await bob.done('POST', '/account/deactivate', { auth: passwordAuth('bob') });
    expect((await listsOf(alice, last))?.left).toEqual([bob.userId]);
  });

  it('say nothing of those who never had keys', async () => {
    const { server, alice } = await start();
    const dave = await KeyDevice.register(server, 'dave');
    const { next_batch: since } = await alice.sync();
    const roomId = await alice.createRoom(dave);
    await (await dave.anotherDevice()).done('POST', '/logout');
    expect(await listsOf(alice, since)).toBeUndefined();
    await dave.leave(roomId);
    expect(await listsOf(alice, since)).toBeUndefined();
  });
});
