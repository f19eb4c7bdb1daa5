import { expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { describeOnBothEngines, onSqlite } from '../../support/databases.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';
import { useSending } from './support/sending-server.ts';

onSqlite('a thousand servers', (engine) => {
  const sending = useSending(engine);
  const names = Array.from({ length: 1_000 }, (_, i) => `s${i}`);

  it('are sent a message without a row for each, and with one write in five seconds for those that lag', async () => {
    let watched: WatchedDatabase | undefined;
    const server = await sending.start({ watch: (inner) => (watched = new WatchedDatabase(inner)) });
    const { test, peers, ports } = server;
    const db = watched!;
    const alice = await test.user('alice');
    const roomId = await server.roomWith(alice, names);
    await ports.advance(2 * limits.federationNoteMs);
    await db.drained();
    const down = names.slice(0, 300);
    for (const name of down) peers.down.set(name, 'unreachable');
    const written = (name: string): number => db.written.filter((each) => each.startsWith(name)).length;
    db.written.length = 0;
    const said = [];
    for (let i = 0; i < 3; i++) said.push(await test.say(alice, roomId, `message ${i}`));
    const last = said.at(-1)!;
    await ports.until(() => peers.taken.filter(({ eventIds }) => eventIds.includes(last)).length === 700);
    await server.untilQuiet();
    // What three messages cost, whether or not anybody else is told.
    expect([written('outgoing'), written('serverFact'), written('event.insert')]).toEqual([0, 0, 3]);
    expect(peers.mostAtOnce).toBeLessThanOrEqual(limits.federationSendsAtOnceMax + limits.federationRetriesAtOnceMax);

    db.written.length = db.rowsChanged = 0;
    await ports.advance(limits.federationNoteMs);
    await server.untilQuiet();
    expect(db.written).toEqual(['outgoing.setDestinationsLag', 'serverFact.upsert']);
    expect(db.rowsChanged).toBe(down.length + 1);

    db.written.length = 0;
    await test.say(alice, roomId, 'another');
    await server.untilQuiet();
    await ports.advance(limits.federationNoteMs);
    await server.untilQuiet();
    // Nothing has changed for those that lag, and for all others one position says it.
    expect([written('outgoing'), written('serverFact')]).toEqual([0, 1]);
  });
});

describeOnBothEngines('servers and rooms', (engine) => {
  const sending = useSending(engine);

  it('do not wait for servers that hang', async () => {
    const server = await sending.start();
    const { test, peers } = server;
    const alice = await test.user('alice');
    const slow = Array.from({ length: limits.federationSendsAtOnceMax - 1 }, (_, i) => `slow${i}`);
    const roomId = await server.roomWith(alice, [...slow, 'one', 'two']);
    for (const name of slow) peers.hanging.add(name);
    const said = [await test.say(alice, roomId, 'first'), await test.say(alice, roomId, 'second')];
    for (const name of ['one', 'two']) await server.untilTaken(name, said);
  });

  it('take turns: a busy room does not hold up another', async () => {
    const server = await sending.start();
    const { test, peers } = server;
    const alice = await test.user('alice');
    const busy = await server.roomWith(alice, ['one']);
    const other = await server.roomWith(alice, ['one']);
    peers.hanging.add('one');
    const many = [];
    for (let i = 0; i < 150; i++) many.push(await test.say(alice, busy, `many ${i}`));
    await server.untilBusy('one');
    const single = await test.say(alice, other, 'single');
    peers.release();
    await server.untilTaken('one', [...many, single]);
    const events = peers.eventsTo('one');
    expect(events.filter((id) => id !== single)).toEqual(many);
    expect(events.indexOf(single)).toBeLessThan(many.length - 50);
    expect(Math.max(...peers.to('one').map(({ eventIds }) => eventIds.length))).toBe(50);
  });

  it('are remembered in the database alone when more waits than memory is to have', async () => {
    const server = await sending.start();
    const { test, peers, sender } = server;
    const alice = await test.user('alice');
    const rooms = [];
    for (let i = 0; i < 25; i++) rooms.push(await server.roomWith(alice, ['one']));
    peers.hanging.add('one');
    const said = [];
    for (let i = 0; i < 44; i++) for (const roomId of rooms) said.push(await test.say(alice, roomId, `message ${i}`));
    expect(said.length).toBeGreaterThan(limits.federationQueueEventsMax);
    await server.untilBusy('one');
    await server.db.drained();
    expect(sender.eventsInMemory('one' as ServerName)).toBeLessThan(limits.federationQueueEventsMax / 2);
    peers.release();
    await server.untilTaken('one', said);
    for (const roomId of rooms) {
      const sent = peers
        .to('one')
        .flatMap(({ pdus, eventIds }) => eventIds.filter((_, i) => pdus[i]?.['room_id'] === roomId));
      expect(sent).toEqual(said.filter((id) => sent.includes(id)));
    }
  });
});
