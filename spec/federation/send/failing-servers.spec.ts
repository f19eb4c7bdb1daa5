import { expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { laggingDestinations } from '../../../src/storage/stores/outgoing-store.ts';
import type { EventId, RoomId, ServerName } from '../../../src/matrix/ids/ids.ts';
import type { TestUser } from '../../support/test-rooms.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { type SendingServer, useSending } from './support/sending-server.ts';

const one = 'one' as ServerName;

describeOnBothEngines('a server that cannot be reached', (engine) => {
  const sending = useSending(engine);
  const start = async (options = {}) => {
    const server = await sending.start(options);
    const alice = await server.test.user('alice');
    const roomId = await server.roomWith(alice, ['one', 'two']);
    return { server, peers: server.peers, alice, roomId };
  };
  const sayMany = async (server: SendingServer, alice: TestUser, roomId: RoomId, count: number, name = 'many') => {
    const said: EventId[] = [];
    for (let i = 0; i < count; i++) said.push(await server.test.say(alice, roomId, `${name} ${i}`));
    return said;
  };

  it('is sent the same transaction again under the same id, later and later, while others go on', async () => {
    const { server, peers, alice, roomId } = await start();
    peers.down.set('one', 'unreachable');
    const first = await server.test.say(alice, roomId, 'first');
    await server.untilTaken('two', [first]);
    await server.untilQuiet();
    const second = await server.test.say(alice, roomId, 'second');
    await server.untilTaken('two', [second]);
    expect(peers.attempts.filter(({ destination }) => destination === 'one')).toHaveLength(1);
    peers.down.delete('one');
    await server.ports.advance(limits.federationRetryMs * 1.25);
    await server.untilTaken('one', [second]);
    const [failed, again] = peers.attempts.filter(({ destination }) => destination === 'one');
    expect(again).toEqual(failed);
    expect(peers.eventsTo('one')).toEqual([first, second]);
    expect(new Set(peers.to('one').map(({ txnId }) => txnId)).size).toBe(2);
  });

  it('is tried less and less often, and at once when it is heard from or a person asks', async () => {
    const { server, peers, alice, roomId } = await start();
    peers.down.set('one', 'unreachable');
    const said = [await server.test.say(alice, roomId, 'first')];
    const attempts = (): number => peers.attempts.filter(({ destination }) => destination === 'one').length;
    const times: number[] = [];
    for (let seen = 0; times.length < 8;) {
      if (attempts() > seen) times.push(server.ports.clock.nowMs());
      seen = attempts();
      await server.untilQuiet();
      await server.ports.advance(500);
    }
    const pauses = times.slice(1).map((time, i) => time - times[i]!);
    for (const [i, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(limits.federationRetryMs * 2 ** i * 0.75 - 500);
      expect(pause).toBeLessThanOrEqual(limits.federationRetryMs * 2 ** i * 1.25 + 500);
    }
    said.push(await server.test.say(alice, roomId, 'second'));
    await server.untilQuiet();
    const before = attempts();
    server.sender.retryNow(one);
    await server.ports.until(() => attempts() > before);
    expect(peers.attempts.at(-1)?.isUrgent).toBe(true);
    await server.untilQuiet();
    peers.down.delete('one');
    server.sender.heardFrom(one);
    await server.untilTaken('one', said);
    expect(peers.eventsTo('one')).toEqual(said);
  });

  it('waits as long as the client does not ask it', async () => {
    const { server, peers, alice, roomId } = await start();
    peers.down.set('one', 'backing-off');
    peers.backingOffMs.set('one', 600_000);
    const said = await server.test.say(alice, roomId, 'first');
    await server.untilTaken('two', [said]);
    await server.untilQuiet();
    peers.down.delete('one');
    await server.ports.advance(599_000);
    expect(peers.to('one')).toEqual([]);
    await server.ports.advance(1_000);
    await server.untilTaken('one', [said]);
  });

  it('gets what it missed from the database, room by room, and nothing twice in one round', async () => {
    const { server, peers, alice, roomId } = await start();
    const other = await server.roomWith(alice, ['one']);
    const before = await server.test.say(alice, roomId, 'before');
    await server.untilTaken('one', [before]);
    peers.down.set('one', 'unreachable');
    const here = await sayMany(server, alice, roomId, 30, 'here');
    const there = await sayMany(server, alice, other, 30, 'there');
    for (let i = 0; i < 4; i++) await server.ports.advance(60_000);
    await server.untilQuiet();
    const late = await sayMany(server, alice, roomId, 3, 'late');
    peers.down.delete('one');
    server.sender.heardFrom(one);
    await server.untilTaken('one', [...here, ...there, ...late]);
    await server.untilQuiet();
    const events = peers.eventsTo('one').slice(1);
    expect(events.filter((id) => !there.includes(id))).toEqual([...here, ...late]);
    expect(events.filter((id) => there.includes(id))).toEqual(there);
    expect(new Set(events).size).toBe(events.length);
  });

  it('gets the newest of a room in which it missed much', async () => {
    const { server, peers, alice, roomId } = await start();
    peers.down.set('one', 'unreachable');
    const said = await sayMany(server, alice, roomId, 120);
    for (let i = 0; i < 4; i++) await server.ports.advance(60_000);
    await server.untilQuiet();
    peers.down.delete('one');
    server.sender.heardFrom(one);
    await server.untilTaken('one', said.slice(-1));
    await server.untilQuiet();
    expect(peers.eventsTo('one')).toEqual(said.slice(-limits.federationCatchUpEventsMax));
    await server.untilTaken('two', said);
  });

  it('gets nothing from before it came to a room where only members see what was said', async () => {
    const { server, peers, alice } = await start();
    peers.down.set('one', 'unreachable');
    const roomId = await server.roomWith(alice, ['two']);
    await server.test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
    const before = await sayMany(server, alice, roomId, 3, 'before');
    const elsewhere = await server.roomWith(alice, ['one']);
    const said = await server.test.say(alice, elsewhere, 'starts to fail');
    for (let i = 0; i < 4; i++) await server.ports.advance(60_000);
    await server.test.say(alice, roomId, 'still before');
    await server.remote(roomId, { server: 'one' });
    const after = await sayMany(server, alice, roomId, 3, 'after');
    await server.untilQuiet();
    peers.down.delete('one');
    server.sender.heardFrom(one);
    await server.untilTaken('one', [said, ...after]);
    await server.untilQuiet();
    expect(peers.eventsTo('one').filter((id) => id !== said)).toEqual(after);
    await server.untilTaken('two', [...before, ...after]);
  });

  it('gets what it missed after a restart, from where it was left, and no other server gets it again', async () => {
    const { server, peers, alice, roomId } = await start();
    peers.down.set('one', 'unreachable');
    const said = await sayMany(server, alice, roomId, 3);
    await server.untilTaken('two', said);
    await server.untilQuiet();
    await server.ports.advance(limits.federationNoteMs);
    await server.sender.close();
    expect(await server.db.all(laggingDestinations, {})).toHaveLength(1);
    peers.down.delete('one');
    const next = sending.follow(await server.restarted());
    await next.untilTaken('one', said);
    await next.untilQuiet();
    expect(peers.eventsTo('one')).toEqual(said);
    expect(peers.eventsTo('two')).toEqual(said);
    await next.ports.advance(limits.federationNoteMs);
    await next.db.drained();
    expect(await next.db.all(laggingDestinations, {})).toEqual([]);
  });

  it('gets what was committed and not sent when the server was killed', async () => {
    const { server, peers, alice, roomId } = await start({ reopenable: true });
    await server.ports.advance(limits.federationNoteMs);
    for (const name of ['one', 'two', 'gone']) peers.hanging.add(name);
    const said = await sayMany(server, alice, roomId, 3);
    await server.test.rooms.kickUser(alice, { roomId, target: await server.remote(roomId, { server: 'gone' }) });
    for (const name of ['one', 'two', 'gone']) await server.untilBusy(name);
    const next = await sending.killed(server);
    for (const name of ['one', 'two']) await next.untilTaken(name, said);
    await next.ports.until(() => peers.eventsTo('gone').length > 0);
    await next.untilQuiet();
    expect(peers.eventsTo('one')).toEqual([...said, ...peers.eventsTo('gone')]);
    expect(peers.to('gone').flatMap(({ pdus }) => pdus)).toMatchObject([
      { type: 'm.room.member', sender: alice.userId },
    ]);
  });

  it('gets what is on its way when the server ends, within a moment', async () => {
    const { server, peers, alice, roomId } = await start();
    peers.hanging.add('one').add('two');
    const said = await server.test.say(alice, roomId, 'last words');
    await server.untilBusy('one');
    await server.untilBusy('two');
    const closed = server.sender.close();
    await server.ports.settle();
    peers.releaseOne('two');
    await server.untilTaken('two', [said]);
    await server.ports.advance(limits.federationCloseMs);
    await closed;
    expect(await server.db.all(laggingDestinations, {})).toHaveLength(1);
    peers.hanging.clear();
    const next = sending.follow(await server.restarted());
    await next.untilTaken('one', [said]);
    expect(peers.eventsTo('two')).toEqual([said]);
  });

  it('may refuse single events', async () => {
    const { server, peers, alice, roomId } = await start();
    peers.hanging.add('one').add('two');
    const said = await sayMany(server, alice, roomId, 3);
    peers.refused.add(said[1]!);
    peers.release();
    for (const name of ['one', 'two']) await server.untilTaken(name, said);
    await server.untilQuiet();
    expect(await server.metrics.text()).toContain('veche_federation_sent_pdus_total{outcome="refused"} 2');
    expect(peers.eventsTo('one')).toEqual(said);
  });
});
