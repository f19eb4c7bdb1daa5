import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DeviceListUpdate,
  type FollowedList,
  followUpdates,
  type KnownList,
} from '../../../src/encryption/remote-lists/list-update.ts';

/** https://spec.matrix.org/v1.19/server-server-api/#device-management */
describe('updates of a device list', () => {
  const known = (streamId: number, devices: Readonly<Record<string, string>> = {}): KnownList => ({
    streamId,
    devices: new Map(Object.entries(devices)),
  });
  const update = (streamId: number, prevIds: readonly number[], deviceId = 'A', text?: string): DeviceListUpdate => ({
    deviceId,
    streamId,
    prevIds,
    text,
  });
  const after = (followed: FollowedList | undefined) =>
    followed && { streamId: followed.streamId, changed: Object.fromEntries(followed.changed) };

  it('follow on each other', () => {
    const updates = [update(7, [5], 'A', 'a'), update(9, [7], 'B', 'b'), update(10, [9], 'A')];
    expect(after(followUpdates(known(5, { B: 'old' }), updates))).toEqual({ streamId: 10, changed: { B: 'b' } });
    expect(after(followUpdates(known(5, { A: 'old' }), updates))).toEqual({
      streamId: 10,
      changed: { A: undefined, B: 'b' },
    });
  });

  it('may fork among those that are there', () => {
    const updates = [update(6, [5]), update(7, [5]), update(8, [6, 7], 'A', 'a')];
    expect(after(followUpdates(known(5), updates))).toEqual({ streamId: 8, changed: { A: 'a' } });
    expect(followUpdates(known(5), [update(7, [5, 6])])).toBeUndefined();
  });

  it('leave a gap where what they follow on is not known', () => {
    expect(followUpdates(known(5), [update(7, [6])])).toBeUndefined();
    expect(followUpdates(known(5), [update(7, [])])).toBeUndefined();
    expect(followUpdates(known(0), [update(7, [3])])).toBeUndefined();
    expect(followUpdates(known(5), [{ ...update(7, [5]), prevIds: undefined }])).toBeUndefined();
    expect(followUpdates(known(5), [{ ...update(7, [5]), streamId: undefined }])).toBeUndefined();
  });

  it('may be the first, and may come again', () => {
    expect(after(followUpdates(known(0), [update(7, [], 'A', 'a')]))).toEqual({ streamId: 7, changed: { A: 'a' } });
    expect(after(followUpdates(known(7, { A: 'a' }), [update(7, [], 'A', 'a')]))).toEqual({ streamId: 7, changed: {} });
    // Whoever counts anew has lost what it knew.
    expect(followUpdates(known(7, { A: 'a' }), [update(3, [], 'A', 'b')])).toBeUndefined();
  });

  it('lost, twice or out of order, never leave a list that is taken for right and is not', () => {
    const change = fc.record({
      deviceId: fc.constantFrom('A', 'B', 'C'),
      text: fc.option(fc.constantFrom('1', '2', '3'), { nil: undefined }),
      step: fc.integer({ min: 1, max: 3 }),
    });
    /** What the network does with one update. */
    const fate = fc.constantFrom('passed', 'passed', 'passed', 'passed', 'lost', 'twice', 'late');
    fc.assert(
      fc.property(fc.array(fc.tuple(change, fate), { maxLength: 20 }), fc.nat(3), (changes, batch) => {
        const { history, arrivals } = network(changes);
        let list: KnownList | undefined = known(0);
        let [asked, pending] = [0, [] as DeviceListUpdate[]];
        const take = (sentUpTo: number): void => {
          const followed = list && followUpdates(list, pending);
          pending = [];
          if (followed === undefined || list === undefined) {
            // Asks for the whole list, as it is by then.
            list = history[sentUpTo] ?? known(0);
            asked++;
          } else list = { streamId: followed.streamId, devices: applied(list.devices, followed) };
          expect(list.devices).toEqual(history.find(({ streamId }) => streamId === list?.streamId)?.devices);
        };
        for (const { update: told, sentUpTo } of arrivals) {
          pending.push(told);
          if (pending.length > batch) take(sentUpTo);
        }
        if (changes.every(([, what]) => what === 'passed')) {
          if (pending.length > 0) take(changes.length);
          expect(asked).toBe(0);
          expect(list).toEqual(history.at(-1));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

type Change = {
  readonly deviceId: string;
  readonly text: string | undefined;
  readonly step: number;
};

/** What a server tells one after the other, and what of it arrives. `history`: how the list was after each change. */
function network(changes: readonly (readonly [Change, string])[]) {
  const history: KnownList[] = [{ streamId: 0, devices: new Map() }];
  const arrivals: { update: DeviceListUpdate; sentUpTo: number }[] = [];
  const late: DeviceListUpdate[] = [];
  for (const [index, [{ deviceId, text, step }, what]] of changes.entries()) {
    const { streamId: before, devices } = history.at(-1)!;
    const streamId = before + step;
    history.push({ streamId, devices: applied(devices, { changed: new Map([[deviceId, text]]) }) });
    const update = { deviceId, streamId, prevIds: before === 0 ? [] : [before], text };
    if (what === 'late') late.push(update);
    else if (what !== 'lost') {
      const times = what === 'twice' ? 2 : 1;
      for (let n = 0; n < times; n++) arrivals.push({ update, sentUpTo: index + 1 });
      for (const other of late.splice(0)) arrivals.push({ update: other, sentUpTo: index + 1 });
    }
  }
  return { history, arrivals };
}

function applied(
  devices: ReadonlyMap<string, string>,
  { changed }: Pick<FollowedList, 'changed'>,
): ReadonlyMap<string, string> {
  const all = new Map(devices);
  for (const [id, text] of changed)
    if (text === undefined) all.delete(id);
    else all.set(id, text);
  return all;
}
