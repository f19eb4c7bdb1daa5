import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { boundValues, compiledStatement, defineRead, defineWrite } from '../../src/storage/query.ts';

const byRoom = defineRead<{ room: number; limit: number }, { nid: number }>('spec.query.byRoom', (q, p) =>
  q.selectFrom('extremity').select('nid').where('room', '=', p.room).where('nid', '>', 7).limit(p.limit),
);
const lists = defineRead<{ nids: readonly number[]; names: readonly string[] }, { nid: number }>(
  'spec.query.lists',
  (q, p) =>
    q.selectFrom('event').select('nid').where('nid', 'in', p.list('nids')).where('type', 'not in', p.list('names')),
);

describe('queries', () => {
  it('are compiled for each engine with parameters by name and constants in their places', () => {
    const sqlite = compiledStatement(byRoom, 'sqlite');
    expect(sqlite.sql).toBe('select "nid" from "extremity" where "room" = +? and "nid" > +? limit +? + 0');
    expect(boundValues(sqlite, { limit: 5, room: 1 }, 'sqlite')).toEqual([1, 7, 5]);
    expect(compiledStatement(byRoom, 'postgres').sql).toContain('"room" = $1 and "nid" > $2 limit $3');
    expect(compiledStatement(byRoom, 'sqlite')).toBe(sqlite);
  });

  it('take lists of any length as one parameter', () => {
    const sqlite = compiledStatement(lists, 'sqlite');
    expect(sqlite.sql).toBe(
      'select "nid" from "event" where "nid" in (select value from json_each(?)) and "type" not in (select value from json_each(?))',
    );
    expect(boundValues(sqlite, { nids: [1, 2], names: ['a"'] }, 'sqlite')).toEqual(['[1,2]', String.raw`["a\""]`]);
    const postgres = compiledStatement(lists, 'postgres');
    expect(postgres.sql).toBe('select "nid" from "event" where "nid" = any($1) and "type" <> all($2)');
    expect(boundValues(postgres, { nids: [1, 2], names: ['a"'] }, 'postgres')).toEqual([[1, 2], ['a"']]);
  });

  it('refuse lists where they would mean different things', () => {
    const misplaced = defineRead<{ nids: readonly number[] }, { nid: number }>('spec.query.misplaced', (q, p) =>
      q
        .selectFrom('event')
        .select('nid')
        .where(sql<boolean>`depth in ${p.list('nids')}`),
    );
    expect(() => compiledStatement(misplaced, 'postgres')).toThrow('a list stands on the right of "in"');
  });

  it('have names of their own', () => {
    const define = () => defineWrite<{ nid: number }>('spec.query.byRoom', (q) => q.deleteFrom('extremity'));
    expect(define).toThrow('there are two queries named spec.query.byRoom');
  });

  it('refuse parameters that are missing or cannot be stored', () => {
    const statement = compiledStatement(byRoom, 'sqlite');
    const bound = (params: object) => () => boundValues(statement, params, 'sqlite');
    expect(bound({ room: 1 })).toThrow('spec.query.byRoom: parameter limit is missing');
    expect(bound({ room: Number.POSITIVE_INFINITY, limit: 1 })).toThrow(
      'parameter room is a number that cannot be stored',
    );
    expect(bound({ room: new Date(0), limit: 1 })).toThrow('parameter room is a object that cannot be stored');
    const postgres = compiledStatement(lists, 'postgres');
    expect(() => boundValues(postgres, { nids: [Buffer.alloc(1)], names: [] }, 'postgres')).toThrow('parameter nids');
  });
});
