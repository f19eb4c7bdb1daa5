import { expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import type { EventId, RoomId } from '../../../src/matrix/ids/ids.ts';
import type { TestUser } from '../../support/test-rooms.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { type SendingServer, useSending } from './support/sending-server.ts';

describeOnBothEngines('a server that cannot read what it is sent', (engine) => {
  const sending = useSending(engine);
  const start = async () => {
    const server = await sending.start();
    const alice = await server.test.user('alice');
    const roomId = await server.roomWith(alice, ['one']);
    await server.untilQuiet();
    return { server, peers: server.peers, alice, roomId };
  };
  /** They are sent together, because the server does not answer meanwhile. */
  const sayTogether = async (server: SendingServer, alice: TestUser, roomId: RoomId, count: number) => {
    const { peers } = server;
    peers.hanging.add('one');
    const first = await server.test.say(alice, roomId, 'first');
    await server.untilBusy('one');
    const said: EventId[] = [first];
    for (let i = 0; i < count; i++) said.push(await server.test.say(alice, roomId, `message ${i}`));
    return said;
  };
  const skipped = async ({ metrics }: SendingServer): Promise<number> =>
    Number(/sent_pdus_total\{outcome="skipped"\} (\d+)/.exec(await metrics.text())?.[1] ?? 0);

  it('gets everything but the event at fault, in order', async () => {
    const { server, peers, alice, roomId } = await start();
    const said = await sayTogether(server, alice, roomId, 20);
    const poison = said[7]!;
    peers.unreadable.add(poison);
    const before = peers.attempts.length;
    peers.release();
    await server.untilTaken('one', said.slice(0, 7));
    for (let i = 0; i < limits.federationUnreadableTriesMax; i++) {
      await server.untilQuiet();
      await server.ports.advance(limits.federationRetryMsMax);
    }
    await server.untilTaken('one', said.slice(8));
    await server.untilQuiet();
    const inRoom = peers.eventsTo('one').filter((id) => said.includes(id));
    expect(inRoom).toEqual(said.filter((id) => id !== poison));
    expect(await skipped(server)).toBe(1);
    expect(peers.attempts.length - before).toBeLessThan(20);
    const later = await server.test.say(alice, roomId, 'later');
    await server.untilTaken('one', [later]);
    expect(await skipped(server)).toBe(1);
  });

  it('gets smaller transactions where they are too large', async () => {
    const { server, peers, alice, roomId } = await start();
    peers.bytesMax.set('one', 4_000);
    const said = await sayTogether(server, alice, roomId, 20);
    peers.release();
    await server.untilTaken('one', said);
    await server.untilQuiet();
    expect(peers.eventsTo('one').filter((id) => said.includes(id))).toEqual(said);
    expect(await skipped(server)).toBe(0);
  });

  it('loses one event each time that it is tried, if it never takes any', async () => {
    const { server, peers, alice, roomId } = await start();
    peers.bytesMax.set('one', 1);
    const said: EventId[] = [];
    for (let i = 0; i < 10; i++) said.push(await server.test.say(alice, roomId, `message ${i}`));
    await server.untilQuiet();
    for (let i = 0; i < 4; i++) {
      await server.ports.advance(limits.federationRetryMs * 2);
      await server.untilQuiet();
    }
    expect(await skipped(server)).toBeLessThanOrEqual(3);
    peers.bytesMax.clear();
    await server.ports.advance(limits.federationRetryMsMax * 1.25);
    await server.untilTaken('one', said.slice(-5));
  });
});
