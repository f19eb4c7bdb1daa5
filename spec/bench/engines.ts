/** The same messages on PostgreSQL and on SQLite: what our process spends, without the database server. */
import type { Measurement, Scenario } from './measurement.ts';
import { median } from './median.ts';
import { Reference, normalised } from './reference.ts';
import { type Room, type Workshop, inWorkshop, makeRoom, say } from './workshop.ts';

const ratioMax = 1.5;
const memberCount = 50;
/** Slices on each in turn; the first of them are for the compiler. */
const slices = 30;
const slicesToWarmUp = 10;

/** Nothing where the bench runs on SQLite. */
export const engines: Scenario = async (bench) => {
  if (bench.postgres === undefined) return [];
  bench.say('engines: CPU per send on both');
  return inWorkshop(bench, async (postgres) =>
    inWorkshop({ ...bench, postgres: undefined }, async (sqlite) => {
      const sides = [await sideOf(sqlite), await sideOf(postgres)] as const;
      const slice = Math.ceil(bench.sizes.messages / 4);
      const reference = Reference.before();
      const ratios: number[] = [];
      for (let round = 0; round < slices; round++) {
        const [onSqlite, onPostgres] = [await spend(sides[0], slice), await spend(sides[1], slice)];
        reference.sample(20);
        if (round < slicesToWarmUp) continue;
        sides[0].spent.push(onSqlite);
        sides[1].spent.push(onPostgres);
        ratios.push(onPostgres / onSqlite);
      }
      const signUs = reference.stop();
      return [
        ...sides.map(({ workshop, spent }): Measurement => {
          const us = median(spent);
          return of(`${workshop.db.engine}: CPU per send without HTTP, our process`, 'µs', us, {
            normalised: normalised(us, signUs),
          });
        }),
        of('PostgreSQL to SQLite', 'ratio', median(ratios), { atMost: ratioMax }),
      ];
    }),
  );
};

interface Side {
  readonly workshop: Workshop;
  readonly room: Room;
  /** µs per message. */
  readonly spent: number[];
}

async function sideOf(workshop: Workshop): Promise<Side> {
  return { workshop, room: await makeRoom(workshop, 'e', memberCount), spent: [] };
}

/** Of all threads. */
async function spend({ workshop, room }: Side, messages: number): Promise<number> {
  const before = process.cpuUsage();
  await say(workshop, room, messages);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / messages;
}

function of(what: string, unit: string, value: number, more: Partial<Measurement> = {}): Measurement {
  return { scenario: 'engines', what, unit, value, ...more };
}
