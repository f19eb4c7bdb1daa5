import { expect, it } from 'vitest';
import type { ServerName, UserId } from '../../src/matrix/ids/ids.ts';
import { UnitFailed } from '../../src/storage/database.ts';
import { Names } from '../../src/storage/names.ts';
import { stateKeysByKeys } from '../../src/storage/stores/name-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

const alice = '@alice:a.org' as UserId;
const bob = '@bob:b.org:8448' as UserId;

describeOnBothEngines('names', (engine) => {
  it('gives a name one number, and the name back', async () => {
    const names = new Names(await engine.open());
    const nid = await names.userNid(alice);
    expect(await names.userNid(alice)).toBe(nid);
    expect(await names.userId(nid)).toBe(alice);
    expect(await names.findUserNid(bob)).toBeUndefined();
    expect(await names.userNids([bob, alice, bob])).toEqual([
      await names.findUserNid(bob),
      nid,
      await names.userNid(bob),
    ]);
    expect(await names.findServerNid('b.org:8448' as ServerName)).toBeTypeOf('number');
  });

  it('creates a name once when many ask for it at the same moment', async () => {
    const names = new Names(await engine.open());
    const nids = await Promise.all([names.userNid(alice), names.userNids([bob, alice]), names.userNid(alice)]);
    expect(new Set(nids.flat()).size).toBe(2);
  });

  it('gives a number before its name is committed, with the unit to require', async () => {
    const db = await engine.open();
    const names = new Names(db);
    const { nid, creation } = await names.introduceSkey('m.room.member', alice);
    expect(creation).toBeDefined();
    const [again, awaited] = await Promise.all([
      names.introduceSkey('m.room.member', alice),
      names.skey('m.room.member', alice),
    ]);
    expect([again.nid, awaited]).toEqual([nid, nid]);
    expect(await db.one(stateKeysByKeys, { type: 'm.room.member', keys: [alice] })).toMatchObject({ skey: nid });
    expect(await names.introduceSkey('m.room.member', alice)).toEqual({ nid, creation: undefined });
    expect(await new Names(db).introduceSkey('m.room.member', alice)).toEqual({ nid, creation: undefined });
  });

  it('takes those down with it who require a name that could not be created', async () => {
    const db = new WatchedDatabase(await engine.open());
    const names = new Names(db);
    db.failNextWrite();
    const { creation } = await names.introduceSkey('m.room.member', alice);
    const unit = db.write((unit) => {
      if (creation !== undefined) unit.requires(creation);
    });
    await expect(unit.committed).rejects.toThrow(UnitFailed);
    const again = await names.introduceSkey('m.room.member', alice);
    await again.creation?.committed;
    expect(await names.stateKeyOf(again.nid)).toEqual({ type: 'm.room.member', key: alice });
  });

  it('knows its names after a restart and when it remembers almost none', async () => {
    const before = await engine.open({ reopenable: true });
    const some = Array.from({ length: 50 }, (_, index) => `@user${index}:a.org` as UserId);
    const nids = await new Names(before).userNids(some);
    const names = new Names(await engine.reopen(before), 8);
    expect(await names.userIds(nids)).toEqual(some);
    expect(await names.findUserNids(some)).toEqual(nids);
    expect(await names.userNids([...some, bob])).toEqual([...nids, await names.findUserNid(bob)]);
  });

  it('tells a number that does not exist', async () => {
    const names = new Names(await engine.open());
    await expect(names.userId(12345)).rejects.toThrow('no name has the number 12345');
  });

  it('keeps state keys apart whose texts are the same in one piece, and those with strange characters', async () => {
    const names = new Names(await engine.open());
    const some = [
      { type: 'a', key: 'bc' },
      { type: 'ab', key: 'c' },
      { type: 'a', key: '' },
      { type: 'a', key: 'zero \u0000 and more' },
      { type: 'a', key: 'zero \u0000 and less' },
      { type: 'a', key: 'é, 𝄞, \u{10FFFF}0' },
      { type: '\u{10FFFF}', key: '"\\\n' },
    ];
    const skeys = await names.skeys(some);
    expect(new Set(skeys).size).toBe(some.length);
    expect(await names.stateKeysOf(skeys)).toEqual(some);
  });

  it('finds strange state keys in the database as well as in memory', async () => {
    const before = await engine.open({ reopenable: true });
    const some = ['zero \u0000', 'é', '𝄞\u{10FFFF}', ''].map((key) => ({ type: 'm', key }));
    const skeys = await new Names(before).skeys(some);
    const names = new Names(await engine.reopen(before));
    expect(await names.findSkeys(some)).toEqual(skeys);
    expect(await names.stateKeysOf(skeys)).toEqual(some);
  });
});
