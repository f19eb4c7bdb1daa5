import { expect, it } from 'vitest';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { idsOf, startRelations } from './support.ts';

describeOnBothEngines('pages of messages under filters', (engine) => {
  it('have every event that passes once, in both directions and at any size', async () => {
    const { test, roomId, alice, bob, say, relate } = await startRelations(engine);
    for (let i = 0; i < 8; i++) {
      const by = i % 2 === 0 ? alice : bob;
      const root = await say(by);
      if (i % 3 === 0) await relate(alice, 'm.thread', root);
      if (i % 4 === 0) await relate(bob, 'm.reference', root, { url: 'mxc://test/a' });
    }
    const all = (await test.history(bob, roomId)).chunk.toReversed();
    const relatedBy = (sender?: string, relType?: string) => (id: EventId) =>
      all.some((event) => {
        const relation = event.content['m.relates_to'] as { event_id?: string; rel_type?: string } | undefined;
        const fits =
          (sender ?? event.sender) === event.sender && (relType ?? relation?.rel_type) === relation?.rel_type;
        return relation?.event_id === id && fits;
      });
    const cases: [JsonObject, (event: (typeof all)[number]) => boolean][] = [
      [{ types: ['m.room.mess*'] }, (event) => event.type === 'm.room.message'],
      [{ not_types: ['m.*'] }, () => false],
      [{ senders: [bob.userId] }, (event) => event.sender === bob.userId],
      [{ not_senders: [bob.userId], types: ['*'] }, (event) => event.sender !== bob.userId],
      [{ contains_url: true }, (event) => event.content['url'] !== undefined],
      [{ contains_url: false }, (event) => event.content['url'] === undefined],
      [{ related_by_senders: [bob.userId] }, (event) => relatedBy(bob.userId)(event.event_id)],
      [{ related_by_rel_types: ['m.thread'] }, (event) => relatedBy(undefined, 'm.thread')(event.event_id)],
      [
        { related_by_rel_types: ['m.thread'], related_by_senders: [bob.userId] },
        (event) => relatedBy(bob.userId, 'm.thread')(event.event_id),
      ],
      [{ related_by_senders: [] }, () => false],
    ];
    for (const [filter, passes] of cases)
      for (const dir of ['b', 'f'] as const) {
        const pages: EventId[] = [];
        for (let from: string | undefined; ;) {
          const page = await test.history(bob, roomId, { dir, limit: 3, from, filter: JSON.stringify(filter) });
          expect(page.chunk.length).toBeLessThanOrEqual(3);
          pages.push(...idsOf(page.chunk));
          from = page.end;
          if (from === undefined) break;
        }
        const wanted = idsOf(all.filter(passes));
        expect(pages, JSON.stringify(filter)).toEqual(dir === 'f' ? wanted : wanted.toReversed());
      }
    const wrong = test.history(bob, roomId, { filter: '{"related_by_senders":["bob"]}' });
    await expect(wrong).rejects.toMatchObject({ status: 400, errcode: 'M_BAD_JSON' });
  });
});
