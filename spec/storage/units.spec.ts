import { expect, it } from 'vitest';
import {
  type Commit,
  type UnitBuilder,
  UnexpectedChanges,
  UniqueViolation,
  UnitFailed,
} from '../../src/storage/database.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import {
  addBody,
  addPair,
  allPairs,
  bodies,
  factsNamed,
  pairs,
  removePair,
  setFact,
  takePairs,
} from './support/scratch-queries.ts';

describeOnBothEngines('units', (engine) => {
  it('happen whole, and show up in reads when they are committed', async () => {
    const db = await engine.open();
    const ticket = db.write((unit) => {
      unit.run(addPair, { room: 1, nid: 10 });
      unit.run(addPair, { room: 1, nid: 11 });
    });
    expect([0, 2]).toContain((await db.all(pairs, { room: 1 })).length);
    await ticket.committed;
    expect(await db.all(pairs, { room: 1 })).toEqual([{ nid: 10 }, { nid: 11 }]);
    expect(await db.one(pairs, { room: 1 })).toEqual({ nid: 10 });
    expect(await db.one(pairs, { room: 2 })).toBeUndefined();
  });

  it('fail alone and whole, whatever they had changed before', async () => {
    const db = await engine.open();
    const add = (...nids: number[]) =>
      db.write((unit) => {
        for (const nid of nids) unit.run(addPair, { room: 1, nid });
      });
    const tickets = [add(1), add(2, 3), add(4, 5, 3, 6), add(7), add(1, 8), add(9)];
    const settled = await Promise.allSettled(tickets.map((ticket) => ticket.committed));
    expect(settled.map((result) => result.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    for (const result of settled)
      if (result.status === 'rejected') {
        expect(result.reason).toBeInstanceOf(UnitFailed);
        expect(result.reason.cause).toBeInstanceOf(UniqueViolation);
      }
    expect((await db.all(pairs, { room: 1 })).map((row) => row.nid)).toEqual([1, 2, 3, 7, 9]);
  });

  it('fail when they changed another number of rows than they said', async () => {
    const db = await engine.open();
    const first = db.write((unit) => unit.run(addPair, { room: 1, nid: 1 }, { changes: 1 }));
    const second = db.write((unit) => {
      unit.run(addPair, { room: 1, nid: 2 });
      unit.run(removePair, { room: 1, nid: 99 }, { changes: 1 });
    });
    const third = db.write((unit) => unit.run(removePair, { room: 1, nid: 99 }, { changes: 0 }));
    await first.committed;
    await third.committed;
    const error = await failureOf(second.committed);
    expect(error.cause).toBeInstanceOf(UnexpectedChanges);
    expect(await db.all(pairs, { room: 1 })).toEqual([{ nid: 1 }]);
  });

  it('fail for other reasons that are not told apart', async () => {
    const db = await engine.open();
    const broken = db.write((unit) => unit.run(setFact, { name: 'a', value: null }));
    const error = await failureOf(broken.committed);
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.cause).not.toBeInstanceOf(UniqueViolation);
  });

  it('fail with those that they require, near and far', async () => {
    const db = await engine.open();
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 1 })).committed;
    const failing = db.write((unit) => {
      unit.run(addPair, { room: 1, nid: 2 });
      unit.run(addPair, { room: 1, nid: 1 });
    });
    const dependent = db.write((unit) => {
      unit.requires(failing);
      unit.run(addPair, { room: 1, nid: 3 });
    });
    const grandchild = db.write((unit) => {
      unit.requires(dependent);
      unit.wake({ kind: 'none' });
    });
    const free = db.write((unit) => unit.run(addPair, { room: 1, nid: 4 }));
    const dependentOfFree = db.write((unit) => {
      unit.requires(free);
      unit.run(addPair, { room: 1, nid: 5 });
    });
    for (const ticket of [failing, dependent, grandchild]) await failureOf(ticket.committed);
    await dependentOfFree.committed;
    const late = db.write((unit) => {
      unit.requires(failing);
      unit.run(addPair, { room: 1, nid: 6 });
    });
    await failureOf(late.committed);
    const lateButFine = db.write((unit) => {
      unit.requires(free);
      unit.run(addPair, { room: 1, nid: 7 });
    });
    await lateButFine.committed;
    expect((await db.all(pairs, { room: 1 })).map((row) => row.nid)).toEqual([1, 4, 5, 7]);
  });

  it('are carried out in the order in which they were handed in', async () => {
    const db = await engine.open();
    const tickets = Array.from({ length: 1000 }, (_, index) =>
      db.write((unit) => unit.run(setFact, { name: 'last', value: String(index) })),
    );
    const order: number[] = [];
    await Promise.all(tickets.map((ticket) => ticket.committed.then(() => order.push(ticket.serial))));
    expect(await db.all(factsNamed, { names: ['last'] })).toEqual([{ name: 'last', value: '999' }]);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(new Set(order).size).toBe(1000);
  });

  it('give the rows and the numbers of rows of each statement', async () => {
    const db = await engine.open();
    const { rows, changes } = await db.write((unit) => {
      unit.run(addPair, { room: 1, nid: 1 });
      unit.run(addPair, { room: 1, nid: 2 });
      unit.run(takePairs, { room: 1 });
      unit.run(takePairs, { room: 1 });
      unit.run(removePair, { room: 1, nid: 1 });
    }).committed;
    expect(rows.map((some) => new Set(some.map((row) => row['nid'])))).toEqual(
      [[], [], [1, 2], [], []].map((nids) => new Set(nids)),
    );
    expect(changes).toEqual([1, 1, 2, 0, 0]);
  });

  it('keep numbers, texts, bytes and nothing as they are', async () => {
    const db = await engine.open();
    const body = Buffer.from([0, 1, 255, 0, 92, 39]);
    const huge = Number.MAX_SAFE_INTEGER;
    const texts = ['', 'quote \' and \\ and "', 'zero \u0000 byte', 'é𝄞\u{10FFFF}\u{10FFFF}0', '{}', '[1]'];
    await db.write((unit) => {
      unit.run(addBody, { nid: huge, body });
      unit.run(addBody, { nid: -5, body: Buffer.alloc(0) });
      texts.forEach((value, index) => unit.run(setFact, { name: `text ${index} \u0000`, value }));
    }).committed;
    expect(await db.all(bodies, { nids: [huge, -5, 77] })).toEqual([
      { nid: -5, body: Buffer.alloc(0) },
      { nid: huge, body },
    ]);
    const facts = await db.all(factsNamed, { names: texts.map((_, index) => `text ${index} \u0000`) });
    expect(facts.map((fact) => fact.value)).toEqual(texts);
    expect(await db.all(bodies, { nids: [] })).toEqual([]);
  });

  it('order texts by their code points', async () => {
    const db = await engine.open();
    const names = ['a', 'B', 'ä', 'Z', 'z', '_', '\u{1F600}', '\uFFFD'];
    await db.write((unit) => names.forEach((name) => unit.run(setFact, { name, value: '' }))).committed;
    const facts = await db.all(factsNamed, { names });
    expect(facts.map((fact) => fact.name)).toEqual(['B', 'Z', '_', 'a', 'z', 'ä', '\uFFFD', '\u{1F600}']);
  });

  it('refuse missing and unfit parameters at once', async () => {
    const db = await engine.open();
    const write = (params: Record<string, unknown>) => () =>
      db.write((unit) => unit.run(addPair, params as { room: number; nid: number }));
    expect(write({ room: 1 })).toThrow('scratch.addPair: parameter nid is missing');
    expect(write({ room: 1, nid: Number.NaN })).toThrow('parameter nid');
    expect(write({ room: 1, nid: true })).toThrow('parameter nid');
    expect(write({ room: 1, nid: [1] })).toThrow('parameter nid');
    expect(await db.all(allPairs, {})).toEqual([]);
  });

  it('are built in one go: not later, not inside each other', async () => {
    const db = await engine.open();
    let escaped: UnitBuilder | undefined;
    await db.write((unit) => void (escaped = unit)).committed;
    expect(() => escaped?.run(addPair, { room: 1, nid: 1 })).toThrow('handed in already');
    expect(() => db.write(() => void db.write(() => {}))).toThrow('while another is being built');
    expect(() => {
      db.write((unit) => {
        unit.run(addPair, { room: 1, nid: 1 });
        throw new Error('thought better of it');
      });
    }).toThrow('thought better of it');
    await db.drained();
    expect(await db.all(allPairs, {})).toEqual([]);
  });

  it('share commits when they come together', async () => {
    const db = await engine.open();
    const before = await db.diagnostics();
    await Promise.all(
      Array.from({ length: 500 }, (_, nid) => db.write((unit) => unit.run(addPair, { room: 1, nid })).committed),
    );
    const after = await db.diagnostics();
    // the first two units reserve numbers
    expect(after.units - before.units).toBe(502);
    expect(after.commits - before.commits).toBe(2);
  });

  it('cost no commit when they have no statements, and keep their place', async () => {
    const db = await engine.open();
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 1 })).committed;
    const { commits } = await db.diagnostics();
    await db.write((unit) => void unit.nextPos()).committed;
    expect((await db.diagnostics()).commits).toBe(commits);
    const order: string[] = [];
    const full = db.write((unit) => unit.run(addPair, { room: 1, nid: 2 }));
    const empty = db.write(() => {});
    await Promise.all([empty.committed.then(() => order.push('empty')), full.committed.then(() => order.push('full'))]);
    expect(order).toEqual(['full', 'empty']);
  });
});

describeOnBothEngines('commits', (engine) => {
  it('are told in order, before those who handed in the units, with what became visible', async () => {
    const db = await engine.open();
    const told: string[] = [];
    let seen: Promise<unknown> | undefined;
    db.onCommitted((commit) => {
      told.push(`commit ${commit.pos} ${commit.wakes.length} ${db.committedPos()}`);
      seen ??= db.all(pairs, { room: 1 });
    });
    const first = db.write((unit) => {
      unit.run(addPair, { room: 1, nid: unit.nextPos() });
      unit.wake({ kind: 'none' });
    });
    const failed = db.write((unit) => {
      unit.nextPos();
      unit.run(addPair, { room: 1, nid: 1 });
      unit.wake({ kind: 'none' });
    });
    await Promise.all([
      first.committed.then(() => told.push('first')),
      failed.committed.catch(() => told.push('failed')),
    ]);
    expect(told).toEqual(['commit 2 1 2', 'first', 'failed']);
    expect(await seen).toEqual([{ nid: 1 }]);
  });

  it('are told until the listener leaves', async () => {
    const db = await engine.open();
    const told: Commit[] = [];
    const leave = db.onCommitted((commit) => told.push(commit));
    await db.write((unit) => void unit.nextPos()).committed;
    leave();
    await db.write((unit) => void unit.nextPos()).committed;
    expect(told.map((commit) => commit.pos)).toEqual([1]);
  });
});

describeOnBothEngines('positions and ids', (engine) => {
  it('rise without a gap between units, and after a restart go on above all that were handed out', async () => {
    const db = await engine.open({ reopenable: true });
    expect(db.committedPos()).toBe(0);
    const handedOut: number[] = [];
    for (let i = 0; i < 5_000; i++) db.write((unit) => void handedOut.push(unit.nextPos()));
    const ids = Array.from({ length: 20_000 }, () => db.nextId());
    await db.drained();
    expect(handedOut).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
    expect(db.committedPos()).toBe(5_000);
    expect(new Set(ids).size).toBe(20_000);

    const again = await engine.reopen(db);
    expect(again.committedPos()).toBeGreaterThanOrEqual(5_000);
    const positions: number[] = [];
    again.write((unit) => void positions.push(unit.nextPos()));
    await again.drained();
    expect(positions[0]).toBe(again.committedPos());
    expect(positions[0]).toBeGreaterThan(5_000);
    expect(again.nextId()).toBeGreaterThan(Math.max(...ids));
  });

  it('are never handed out twice when a unit fails', async () => {
    const db = await engine.open();
    const seen = new Set<number>();
    await db.write((unit) => unit.run(addPair, { room: 0, nid: 0 })).committed;
    const tickets = Array.from({ length: 3_000 }, (_, index) =>
      db.write((unit) => {
        seen.add(unit.nextPos());
        unit.run(addPair, { room: 0, nid: index % 3 === 0 ? 0 : index + 1 });
      }),
    );
    await Promise.allSettled(tickets.map((ticket) => ticket.committed));
    expect(seen.size).toBe(3_000);
    expect(db.committedPos()).toBe(3_000);
  });
});

async function failureOf(promise: Promise<unknown>): Promise<UnitFailed> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UnitFailed)) throw new Error('a failed unit was expected');
  return error;
}
