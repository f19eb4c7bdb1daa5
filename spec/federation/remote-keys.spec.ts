import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { CrossSigning, KeyDevice, oneTimeKeys } from '../encryption/support/key-device.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { type FederatedServers, startFederatedServers } from '../support/federated-servers.ts';
import type { PeerAnswer } from '../support/federated-network.ts';
import { passwordOfTests } from '../support/test-accounts.ts';

/** https://spec.matrix.org/v1.19/server-server-api/#end-to-end-encryption */
describeOnBothEngines('keys across servers', (engine) => {
  const run = async (work: (servers: FederatedServers) => Promise<void>): Promise<void> => {
    const servers = await startFederatedServers(['one.test', 'two.test'], {
      engine,
      config: { federation: '{ device_names: true }' },
    });
    try {
      await work(servers);
    } finally {
      await servers.close();
    }
  };
  const unreachable = { errcode: 'M_UNKNOWN', error: 'The server cannot be reached' };
  const usersOn = async (servers: FederatedServers) =>
    [
      await KeyDevice.register(servers.get('one.test'), 'alice'),
      await KeyDevice.register(servers.get('two.test'), 'bob'),
    ] as const;
  const uploadCrossSigning = async (device: KeyDevice): Promise<CrossSigning> => {
    const crossSigning = new CrossSigning(device);
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: device.userId },
      password: passwordOfTests,
    };
    await device.done('POST', '/keys/device_signing/upload', { ...crossSigning.upload, auth });
    return crossSigning;
  };

  it('are asked for where the user is', () =>
    run(async (servers) => {
      const [alice, bob] = await usersOn(servers);
      await bob.uploadKeys();
      const phone = await bob.anotherDevice({ initial_device_display_name: 'phone' });
      await phone.uploadKeys();
      const ofBob = await uploadCrossSigning(bob);
      expect(await alice.query(bob.userId, '@nobody:two.test', alice.userId, '@gone:gone.test')).toEqual({
        device_keys: {
          [alice.userId]: {},
          [bob.userId]: {
            [bob.deviceId]: { ...bob.deviceKeys(), unsigned: {} },
            [phone.deviceId]: { ...phone.deviceKeys(), unsigned: { device_display_name: 'phone' } },
          },
          '@nobody:two.test': {},
        },
        failures: { 'gone.test': unreachable },
        master_keys: { [bob.userId]: ofBob.masterKey },
        self_signing_keys: { [bob.userId]: ofBob.selfSigningKey },
        user_signing_keys: {},
      });
      const some = { [bob.userId]: [phone.deviceId, 'UNKNOWN'] };
      const { device_keys: found } = await alice.done('POST', '/keys/query', { device_keys: some });
      expect(Object.keys((found as JsonObject)[bob.userId] as JsonObject)).toEqual([phone.deviceId]);
      servers.cut('one.test', 'two.test');
      expect(await alice.query(bob.userId)).toMatchObject({
        device_keys: {},
        failures: { 'two.test': unreachable },
      });
    }));

  it('are claimed once', () =>
    run(async (servers) => {
      const [alice, bob] = await usersOn(servers);
      await bob.uploadKeys({ device_keys: bob.deviceKeys(), one_time_keys: oneTimeKeys('a', 'b') });
      expect(await alice.claim(bob)).toEqual(['signed_curve25519:a']);
      expect(await alice.claim(bob)).toEqual(['signed_curve25519:b']);
      expect(await alice.claim(bob)).toEqual([]);
      servers.cut('one.test', 'two.test');
      const wanted = { one_time_keys: { [bob.userId]: { [bob.deviceId]: 'signed_curve25519' } } };
      expect(await alice.done('POST', '/keys/claim', wanted)).toEqual({
        one_time_keys: {},
        failures: { 'two.test': unreachable },
      });
    }));

  it('are signed by users of other servers, which only these see', () =>
    run(async (servers) => {
      const [alice, bob] = await usersOn(servers);
      await Promise.all([alice.uploadKeys(), bob.uploadKeys()]);
      const [ofAlice, ofBob] = [await uploadCrossSigning(alice), await uploadCrossSigning(bob)];
      const signed = ofAlice.signUser(ofBob);
      const body = { [bob.userId]: { [ofBob.master.publicKey]: signed } };
      expect(await alice.done('POST', '/keys/signatures/upload', body)).toEqual({ failures: {} });
      expect(await alice.query(bob.userId)).toMatchObject({ master_keys: { [bob.userId]: signed } });
      expect(await bob.query(bob.userId)).toMatchObject({ master_keys: { [bob.userId]: ofBob.masterKey } });
    }));

  it('of our own users alone are told to other servers, and nothing that only the user sees', () =>
    run(async (servers) => {
      const [alice] = await usersOn(servers);
      await alice.uploadKeys({ device_keys: alice.deviceKeys(), one_time_keys: oneTimeKeys('a') });
      const ofAlice = await uploadCrossSigning(alice);
      const peer = servers.addPeer('peer.test');
      const post = async (path: string, content: JsonObject) =>
        (await peer.send('one.test', { method: 'POST', uri: `/_matrix/federation/v1/user/keys/${path}`, content }))
          .json;
      const deviceKeys = { ...alice.deviceKeys(), unsigned: {} };
      expect(await post('query', { device_keys: { [alice.userId]: [], '@bob:two.test': [] } })).toEqual({
        device_keys: { [alice.userId]: { [alice.deviceId]: deviceKeys } },
        master_keys: { [alice.userId]: ofAlice.masterKey },
        self_signing_keys: { [alice.userId]: ofAlice.selfSigningKey },
      });
      const wanted = { [alice.userId]: { [alice.deviceId]: 'signed_curve25519' }, '@bob:two.test': { A: 'x' } };
      const claimed = oneTimeKeys('a');
      expect(await post('claim', { one_time_keys: wanted })).toEqual({
        one_time_keys: { [alice.userId]: { [alice.deviceId]: claimed } },
      });
      expect(await post('claim', { one_time_keys: wanted })).toEqual({ one_time_keys: {} });
      const devicesOf = (userId: string) =>
        peer.send('one.test', {
          method: 'GET',
          uri: `/_matrix/federation/v1/user/devices/${encodeURIComponent(userId)}`,
        });
      expect((await devicesOf(alice.userId)).json).toEqual({
        user_id: alice.userId,
        stream_id: expect.any(Number) as number,
        devices: [{ device_id: alice.deviceId, keys: deviceKeys }],
        master_key: ofAlice.masterKey,
        self_signing_key: ofAlice.selfSigningKey,
      });
      expect(await devicesOf('@nobody:one.test')).toMatchObject({ status: 404, json: { errcode: 'M_NOT_FOUND' } });
      expect(await devicesOf('@bob:two.test')).toMatchObject({ status: 404 });
      expect(servers.passed.filter(({ to }) => to === 'two.test')).toEqual([]);
    }));

  it('that are not what was asked for are left out', () =>
    run(async (servers) => {
      const [alice] = await usersOn(servers);
      const mallory = '@mallory:peer.test';
      const keys = { ...alice.deviceKeys(), user_id: mallory };
      const good = { ...keys, device_id: 'GOOD' };
      const answer: PeerAnswer = ({ uri }) =>
        uri.endsWith('query')
          ? {
              json: {
                device_keys: {
                  [mallory]: {
                    GOOD: { ...good, more: 5, unsigned: { device_display_name: 'x', more: 1 } },
                    OTHER: good,
                    FOREIGN: { ...alice.deviceKeys(), device_id: 'FOREIGN' },
                    TEXT: 'x',
                  },
                  [alice.userId]: { FORGED: { ...alice.deviceKeys(), device_id: 'FORGED' } },
                },
                master_keys: { [mallory]: new CrossSigning(alice).masterKey, [alice.userId]: {} },
                self_signing_keys: [],
                user_signing_keys: { [mallory]: new CrossSigning({ userId: mallory }).userSigningKey },
              },
            }
          : {
              json: {
                one_time_keys: {
                  [mallory]: { GOOD: { 'other:1': 'x', 'curve:1': { key: 'y' } }, OTHER: { 'curve:1': 'x' }, LIST: 5 },
                  [alice.userId]: { [alice.deviceId]: { 'curve:1': 'x' } },
                },
              },
            };
      servers.addPeer('peer.test', answer);
      expect(await alice.query(mallory)).toEqual({
        device_keys: { [mallory]: { GOOD: { ...good, more: 5, unsigned: { device_display_name: 'x' } } } },
        failures: {},
        master_keys: {},
        self_signing_keys: {},
        user_signing_keys: {},
      });
      const wanted = { one_time_keys: { [mallory]: { GOOD: 'curve', LIST: 'curve', NONE: 'curve' } } };
      expect(await alice.done('POST', '/keys/claim', wanted)).toEqual({
        one_time_keys: { [mallory]: { GOOD: { 'curve:1': { key: 'y' } } } },
        failures: {},
      });
    }));
});
