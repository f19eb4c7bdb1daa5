/** What a server takes that nobody uses: after its first start, and after another with rooms in its database. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext, Measurement, Scenario } from './measurement.ts';
import { Served, roomOf } from './served.ts';
import { processCpu, residentMemory } from './thread-cpu.ts';

const rssMibMax = 150;

export const idle: Scenario = async (bench) => {
  const { idleRooms } = bench.sizes;
  const served = await Served.start(bench);
  try {
    const first = await settled(bench, served, 'first start');
    await served.process.stop();
    const restarted = await started(served);
    const second = await settled(bench, served, 'restart', rssMibMax);
    bench.say(`idle: ${idleRooms} rooms`);
    const [client] = await served.clients(1);
    for (let i = 0; i < idleRooms; i++) await roomOf(client === undefined ? [] : [client]);
    const used = memory(served, 'right after making the rooms');
    await served.process.stop();
    const again = await started(served);
    const third = await settled(bench, served, `restart with ${idleRooms} rooms`, rssMibMax);
    const timed = [
      ['restart', restarted],
      [`restart with ${idleRooms} rooms`, again],
    ] as const;
    return [
      ...first,
      ...second,
      ...used,
      ...third,
      ...timed.flatMap(([when, { ms, cpuMs }]): Measurement[] => [
        { scenario: 'idle', what: `${when}: until it is ready`, unit: 'ms', value: ms },
        { scenario: 'idle', what: `${when}: CPU until it is ready`, unit: 'ms', value: cpuMs },
      ]),
    ];
  } finally {
    await served.close();
  }
};

async function started(served: Served): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const startMs = performance.now();
  await served.process.start();
  return { ms: performance.now() - startMs, cpuMs: processCpu(served.process.pid).all / 1000 };
}

async function settled(
  { sizes }: BenchContext,
  served: Served,
  when: string,
  atMost?: number,
): Promise<readonly Measurement[]> {
  await delay(sizes.settleMs);
  return memory(served, when, atMost);
}

function memory(served: Served, when: string, atMost?: number): readonly Measurement[] {
  const { all, own } = residentMemory(served.process.pid);
  return [
    { scenario: 'idle', what: `${when}: resident memory`, unit: 'MiB', value: all, atMost },
    { scenario: 'idle', what: `${when}: of it not mapped from files`, unit: 'MiB', value: own },
  ];
}
