/**
 * The gate of the state log: random rooms with forks, merges, late, rejected, soft-failed and un-rejected events, handed-in
 * states, partial joins that are filled while events arrive, purges and restarts, compared after every step with a room that
 * keeps complete states. Any number of rooms: `npm run fuzz:state-line -- --from 1 --rooms 20000 --version v2.1`.
 */
import { expect, it } from 'vitest';
import { describeOnBothEngines } from '../../../support/databases.ts';
import { type Counts, compareRoom } from './compare.ts';

const versions = ['1', '6', '10', '11', '12'];
const roomsPerVersion = { sqlite: 45, postgres: 2 };

describeOnBothEngines('the state log and a naive room agree', (engine) => {
  it.each(versions)(
    'in rooms of version %s',
    async (version) => {
      const db = await engine.open();
      const counts: Counts = {};
      const rooms = roomsPerVersion[engine.name];
      const first = versions.indexOf(version) * 1000 + 1;
      for (let seed = first; seed < first + rooms; seed++)
        await compareRoom(db, seed, version, counts).catch((error: unknown) => {
          throw new Error(`version ${version}, seed ${seed}`, { cause: error });
        });
      expect(counts['rooms']).toBe(rooms);
    },
    600_000,
  );
});
