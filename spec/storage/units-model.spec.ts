import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { UnexpectedChanges, UniqueViolation, UnitFailed, type UnitTicket } from '../../src/storage/database.ts';
import type { GroupCommitDatabase } from '../../src/storage/group-commit.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { addPair, allPairs, removePair, takePairs } from './support/scratch-queries.ts';

interface PlannedStatement {
  readonly kind: 'add' | 'remove' | 'take';
  readonly room: number;
  readonly nid: number;
  readonly changes: number | undefined;
}
interface PlannedUnit {
  readonly statements: readonly PlannedStatement[];
  /** How many units before this one is the one it requires; 0 = none. */
  readonly requires: number;
  /** Whether everything before is awaited first, so that a new group begins. */
  readonly waits: boolean;
}

const statement = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'remove', 'take'),
  room: fc.integer({ min: 1, max: 3 }),
  nid: fc.integer({ min: 1, max: 12 }),
  changes: fc.option(fc.constantFrom(0, 1), { nil: undefined, freq: 4 }),
});
const units = fc.array(
  fc.record({
    statements: fc.array(statement, { maxLength: 4 }),
    requires: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 5 })),
    waits: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
  }),
  { maxLength: 30 },
);

type Outcome = { readonly changes: readonly number[] } | { readonly failed: 'unique' | 'changes' | 'required' };

describeOnBothEngines('random units', (engine) => {
  it('have the outcomes of a simple model, one after another', async () => {
    const db = await engine.open();
    await fc.assert(
      fc.asyncProperty(units, async (planned: readonly PlannedUnit[]) => {
        await emptyTable(db);
        const model = new Set<string>();
        expect(await outcomesOf(db, planned)).toEqual(planned.reduce(addModelOutcome(model), []));
        const rows = await db.all(allPairs, {});
        expect(new Set(rows.map(({ room, nid }) => `${room} ${nid}`))).toEqual(model);
      }),
      { numRuns: engine.name === 'sqlite' ? 300 : 80 },
    );
  });
});

async function emptyTable(db: GroupCommitDatabase): Promise<void> {
  await db.write((unit) => {
    for (let room = 1; room <= 3; room++) unit.run(takePairs, { room });
  }).committed;
}

async function outcomesOf(db: GroupCommitDatabase, planned: readonly PlannedUnit[]): Promise<Outcome[]> {
  const tickets: UnitTicket[] = [];
  for (const { statements, requires, waits } of planned) {
    if (waits) await db.drained();
    const required = tickets[tickets.length - requires];
    const ticket = db.write((unit) => {
      if (required !== undefined) unit.requires(required);
      for (const { kind, room, nid, changes } of statements) {
        const options = changes === undefined ? {} : { changes };
        if (kind === 'take') unit.run(takePairs, { room }, options);
        else unit.run(kind === 'add' ? addPair : removePair, { room, nid }, options);
      }
    });
    tickets.push(ticket);
  }
  return Promise.all(
    tickets.map(({ committed }) => committed.then(({ changes }): Outcome => ({ changes }), failureOf)),
  );
}

function failureOf(error: unknown): Outcome {
  if (!(error instanceof UnitFailed)) throw error;
  if (error.cause instanceof UniqueViolation) return { failed: 'unique' };
  return { failed: error.cause instanceof UnexpectedChanges ? 'changes' : 'required' };
}

function addModelOutcome(table: Set<string>): (outcomes: Outcome[], unit: PlannedUnit) => Outcome[] {
  return (outcomes, unit) => {
    const required = outcomes[outcomes.length - unit.requires];
    if (required !== undefined && 'failed' in required) return [...outcomes, { failed: 'required' }];
    const draft = new Set(table);
    const changes: number[] = [];
    for (const planned of unit.statements) {
      const changed = runOnModel(draft, planned);
      if (changed === undefined) return [...outcomes, { failed: 'unique' }];
      if (planned.changes !== undefined && planned.changes !== changed) return [...outcomes, { failed: 'changes' }];
      changes.push(changed);
    }
    table.clear();
    for (const pair of draft) table.add(pair);
    return [...outcomes, { changes }];
  };
}

/** How many rows changed; undefined when a pair is there already. */
function runOnModel(table: Set<string>, { kind, room, nid }: PlannedStatement): number | undefined {
  const pair = `${room} ${nid}`;
  if (kind === 'add') {
    if (table.has(pair)) return undefined;
    table.add(pair);
    return 1;
  }
  if (kind === 'remove') return table.delete(pair) ? 1 : 0;
  const taken = [...table].filter((other) => other.startsWith(`${room} `));
  for (const other of taken) table.delete(other);
  return taken.length;
}
