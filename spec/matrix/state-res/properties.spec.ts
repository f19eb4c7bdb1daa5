import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { separateConflicts } from '../../../src/matrix/state-res/conflicts.ts';
import { resolveState } from '../../../src/matrix/state-res/resolve-state.ts';
import type { StateMap } from '../../../src/matrix/state-res/state-map.ts';
import { randomConflict } from './support/random-room.ts';
import { resolveBothWays } from './support/resolve-both-ways.ts';
import { seededRandom } from './support/seeded-random.ts';

for (const version of ['1', '2', '11', '12'] as const) {
  const rules = roomVersions[version];

  describe(`state resolution of random rooms of version ${version}`, () => {
    it('is the same from complete states and from what differs, in any order', () => {
      let conflicted = 0;
      for (let seed = 1; seed <= 80; seed++) {
        const random = seededRandom(seed);
        const { room, states } = randomConflict(random, rules);
        const resolved = byKey(resolveBothWays(states, room));
        conflicted += separateConflicts(states).conflicted.size;
        const shuffledEvents = { ...room, events: new Map(shuffle([...room.events], random)) };
        for (let time = 0; time < 3; time++) {
          const shuffledStates = shuffle(states, random).map((state) => new Map(shuffle([...state], random)));
          const again = resolveState(shuffledStates, shuffledEvents, room.create, rules);
          expect(byKey(again), `seed ${seed}`).toEqual(resolved);
        }
      }
      expect(conflicted).toBeGreaterThan(150);
    });

    it('does not count a state twice', () => {
      fc.assert(
        fc.property(fc.nat(), (seed) => {
          const { room, states } = randomConflict(seededRandom(seed), rules);
          const resolved = byKey(resolveBothWays(states, room));
          expect(byKey(resolveBothWays([...states, ...states], room))).toEqual(resolved);
        }),
        { numRuns: 15 },
      );
    });

    it('leaves a state alone that all agree on', () => {
      const { room, states } = randomConflict(seededRandom(5), rules);
      const [state] = states as [StateMap];
      expect(byKey(resolveBothWays([state], room))).toEqual(byKey(state));
      expect(byKey(resolveBothWays([state, new Map(state), new Map(state)], room))).toEqual(byKey(state));
      expect(resolveBothWays([], room).size).toBe(0);
    });

    it('fails when an event of the auth chains is missing', () => {
      const { room, states } = randomConflict(seededRandom(9), rules);
      const events = new Map<EventId, never>();
      expect(() => resolveState(states, { ...room, events }, room.create, rules)).toThrow('missing');
    });
  });
}

function byKey(state: StateMap): Record<string, string> {
  return Object.fromEntries(state);
}

function shuffle<Element>(elements: readonly Element[], random: (n: number) => number): Element[] {
  return elements
    .map((element) => ({ element, at: random(1e9) }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ element }) => element);
}
