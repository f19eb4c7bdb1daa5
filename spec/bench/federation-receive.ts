/** Transactions of another server with 50 messages each, in rooms with few and with many members: CPU of the main thread. */
import type { UserId } from '../../src/matrix/ids/ids.ts';
import { limits } from '../../src/platform/limits.ts';
import { alice, far, FarRoom, signedBody } from '../federation/receive/support/far-room.ts';
import { NearServer } from '../federation/receive/support/near-server.ts';
import type { Measurement, Scenario } from './measurement.ts';
import { median } from './median.ts';
import { normalised, Reference, threadCpuUs } from './reference.ts';
import { firstOf, onDatabase, ports } from './workshop.ts';

const usMax = 40;
const ratioMax = 1.3;

export const federationReceive: Scenario = (bench) =>
  onDatabase(bench, async (db) => {
    const rooms: FarRoom[] = [];
    for (const count of bench.sizes.remoteMembers) {
      bench.say(`federation-receive: a room with ${count} members`);
      rooms.push(roomOf(count, rooms.length));
    }
    const server = new NearServer(db, firstOf(rooms), { realPorts: ports });
    for (const room of rooms) await server.take(room);
    bench.say(`federation-receive: ${bench.sizes.transactions} transactions for each`);
    const reference = Reference.before();
    const spent = rooms.map((): number[] => []);
    for (let index = -bench.sizes.transactions; index < bench.sizes.transactions; index++) {
      for (const [at, room] of rooms.entries()) {
        const txnId = `${at} ${index}`;
        const pdus = room.chain(alice, limits.transactionPdusMax, txnId).map(({ pdu }) => pdu);
        const body = signedBody(far, encodeURIComponent(txnId), { pdus });
        const before = threadCpuUs();
        await server.receiving.receiveTransaction({ txnId, body });
        await db.drained();
        // the first half is for the compiler
        if (index >= 0) spent[at]?.push((threadCpuUs() - before) / limits.transactionPdusMax);
      }
      if (index % 10 === 0) reference.sample(10);
    }
    const signUs = reference.stop();
    await server.close();
    return describe(bench.sizes.remoteMembers, spent.map(median), signUs);
  });

function roomOf(memberCount: number, index: number): FarRoom {
  const room = FarRoom.withMembers('11', `!bench${index}:${far}`);
  for (let i = 3; i < memberCount; i++) room.join(`@m${i}:${far}` as UserId);
  return room;
}

function describe(members: readonly number[], us: readonly number[], signUs: number): Measurement[] {
  const each = members.map((count, at): Measurement => ({
    scenario: 'federation-receive',
    what: `main thread, per event in transactions of 50; members: ${count}`,
    unit: 'µs',
    value: us[at] ?? 0,
    normalised: normalised(us[at] ?? 0, signUs),
    atMost: usMax,
  }));
  const ratio = firstOf(each.toReversed()).value / firstOf(each).value;
  return [
    ...each,
    { scenario: 'federation-receive', what: 'growth with members', unit: 'ratio', value: ratio, atMost: ratioMax },
  ];
}
