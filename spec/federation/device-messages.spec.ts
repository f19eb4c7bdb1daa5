import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { limits } from '../../src/platform/limits.ts';
import { KeyDevice } from '../encryption/support/key-device.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { type FederatedServers, startFederatedServers } from '../support/federated-servers.ts';

/** https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging */
describeOnBothEngines('messages to devices of other servers', (engine) => {
  const run = async (work: (servers: FederatedServers) => Promise<void>): Promise<void> => {
    const servers = await startFederatedServers(['one.test', 'two.test'], { engine, isOnDisk: true });
    try {
      await work(servers);
    } finally {
      await servers.close();
    }
  };
  const send = (from: KeyDevice, txnId: string, messages: JsonObject) =>
    from.done('PUT', `/sendToDevice/m.test/${txnId}`, { messages });
  /** All that ever came and was not acknowledged. */
  const inbox = async (device: KeyDevice): Promise<readonly JsonObject[]> => {
    const { to_device: toDevice } = (await device.done('GET', '/sync?timeout=0')) as {
      to_device?: { events: JsonObject[] };
    };
    return toDevice?.events ?? [];
  };
  const until = async (device: KeyDevice, count: number): Promise<void> => {
    await expect.poll(async () => (await inbox(device)).length, { timeout: 60_000 }).toBe(count);
  };
  const usersOn = async (servers: FederatedServers) =>
    [
      await KeyDevice.register(servers.get('one.test'), 'alice'),
      await KeyDevice.register(servers.get('two.test'), 'bob'),
    ] as const;

  it('arrive once, in order, also after an outage and a restart', () =>
    run(async (servers) => {
      const [alice, bob] = await usersOn(servers);
      const phone = await bob.anotherDevice();
      await send(alice, 't1', { [bob.userId]: { '*': { n: 1 }, [phone.deviceId]: { n: 2 } } });
      await send(alice, 't1', { [bob.userId]: { '*': { n: 1 }, [phone.deviceId]: { n: 2 } } });
      const message = (n: number) => ({ sender: alice.userId, type: 'm.test', content: { n } });
      await until(bob, 1);
      await until(phone, 1);
      expect(await inbox(bob)).toEqual([message(1)]);
      expect(await inbox(phone)).toEqual([message(2)]);
      servers.cut('one.test', 'two.test');
      for (const n of [3, 4, 5]) await send(alice, `t${n}`, { [bob.userId]: { [bob.deviceId]: { n } } });
      await servers.restart('one.test');
      servers.mend('one.test', 'two.test');
      servers.leap(2 * limits.federationRetryMsMax);
      await until(bob, 4);
      expect(await inbox(bob)).toEqual([message(1), message(3), message(4), message(5)]);
    }));

  it('are sent in several pieces where there is much', () =>
    run(async (servers) => {
      const [alice, bob] = await usersOn(servers);
      const devices = [bob];
      for (let n = 0; n < 4; n++) devices.push(await bob.anotherDevice());
      const text = 'x'.repeat(limits.toDeviceEduBytesMax / 4 - 1_000);
      const messages = Object.fromEntries(devices.map(({ deviceId }) => [deviceId, { text }]));
      await send(alice, 't', { [bob.userId]: messages });
      for (const device of devices) await until(device, 1);
      const tooMuch = { [bob.userId]: { A: { text: 'x'.repeat(limits.toDeviceBytesMax) } } };
      expect(await alice.call('PUT', '/sendToDevice/m.test/u', { messages: tooMuch })).toMatchObject({ status: 413 });
    }));

  it('of others than the origin, malformed ones and those that came before are left out', () =>
    run(async (servers) => {
      const [alice, bob] = await usersOn(servers);
      const peer = servers.addPeer('peer.test');
      const mallory = '@mallory:peer.test';
      let txn = 0;
      const edus = async (...contents: readonly JsonObject[]) => {
        const wrapped = contents.map((content) => ({ edu_type: 'm.direct_to_device', content }));
        const content = { origin: 'peer.test', origin_server_ts: 1, pdus: [], edus: wrapped };
        const uri = `/_matrix/federation/v1/send/t${++txn}`;
        expect(await peer.send('two.test', { method: 'PUT', uri, content })).toMatchObject({ status: 200 });
      };
      const base = { sender: mallory, type: 'm.test', message_id: 'a', messages: { [bob.userId]: { '*': { n: 1 } } } };
      await edus(
        { ...base, sender: alice.userId },
        { ...base, sender: 5 },
        { ...base, type: 'x'.repeat(300) },
        { ...base, message_id: '' },
        { ...base, messages: [] },
        { ...base, message_id: 'b', messages: { [bob.userId]: { '*': 'text' }, [alice.userId]: { '*': {} }, x: {} } },
        {
          ...base,
          message_id: 'c',
          messages: { [bob.userId]: { '*': { text: 'x'.repeat(limits.toDeviceBytesMax) } } },
        },
        base,
        base,
      );
      await edus(base, { ...base, message_id: 'd', messages: { [bob.userId]: { [bob.deviceId]: { n: 2 } } } });
      const message = (n: number) => ({ sender: mallory, type: 'm.test', content: { n } });
      expect(await inbox(bob)).toEqual([message(1), message(2)]);
    }));
});
