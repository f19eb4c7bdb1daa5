/** What is hidden from everybody: rows of table media, and contents wherever they come from, table quarantined_content. */
import { bigint, defineRead, defineWrite } from '../query.ts';

/** All files that have a content, but for those that are protected or in quarantine already. */
export const quarantineContent = defineWrite<{ sha256: Buffer; by: string }>('quarantine.content', (q, p) =>
  q
    .updateTable('media')
    .set({ quarantined_by: p.by })
    .where('sha256', '=', p.sha256)
    .where('quarantined_by', 'is', null)
    .where('protected', '=', 0),
);
export const releaseContent = defineWrite<{ sha256: Buffer }>('quarantine.release', (q, p) =>
  q.updateTable('media').set({ quarantined_by: null }).where('sha256', '=', p.sha256),
);

/** Also of those who upload it later. One that is in quarantine stays as it is. */
export const addQuarantinedContent = defineWrite<{ sha256: Buffer; by: string; ts: number }>(
  'quarantine.addContent',
  (q, p) =>
    q
      .insertInto('quarantined_content')
      .values({ sha256: p.sha256, quarantined_by: p.by, created_ts: p.ts })
      .onConflict((conflict) => conflict.column('sha256').doNothing()),
);

export const removeQuarantinedContent = defineWrite<{ sha256: Buffer }>('quarantine.removeContent', (q, p) =>
  q.deleteFrom('quarantined_content').where('sha256', '=', p.sha256),
);

/** For a file that has got its content just now. Changes nothing where that is in no quarantine. */
export const quarantineWhereKnown = defineWrite<{ origin: string; mediaId: string; sha256: Buffer }>(
  'quarantine.whereKnown',
  (q, p) =>
    q
      .updateTable('media')
      .from('quarantined_content as c')
      .set((e) => ({ quarantined_by: e.ref('c.quarantined_by') }))
      .where('media.origin', '=', p.origin)
      .where('media.media_id', '=', p.mediaId)
      .where('media.protected', '=', 0)
      .where('c.sha256', '=', p.sha256),
);

/** A file whose content has not come yet. */
export const quarantinePending = defineWrite<{ origin: string; mediaId: string; by: string | null }>(
  'quarantine.pending',
  (q, p) =>
    q
      .updateTable('media')
      .set({ quarantined_by: p.by })
      .where('origin', '=', p.origin)
      .where('media_id', '=', p.mediaId)
      .where('sha256', 'is', null)
      .where('protected', '=', 0),
);

/** The contents of a user's files, but for those that are protected: a page, by their hashes. */
export const contentsOfUser = defineRead<{ user: number; after: Buffer; limit: number }, { sha256: Buffer }>(
  'quarantine.contentsOfUser',
  (q, p) =>
    q
      .selectFrom('media')
      .select((e) => e.ref('sha256').$notNull().as('sha256'))
      .distinct()
      .where('user_nid', '=', p.user)
      .where('sha256', '>', p.after)
      .where('protected', '=', 0)
      .orderBy('sha256')
      .limit(bigint(p.limit)),
);

/** The URIs that have a content. */
export const urisOfContent = defineRead<
  { sha256: Buffer; limit: number },
  { origin: string; media_id: string; user_id: string | null }
>('quarantine.urisOfContent', (q, p) =>
  q
    .selectFrom('media as m')
    .leftJoin('user_name as u', 'u.user_nid', 'm.user_nid')
    .select(['m.origin', 'm.media_id', 'u.user_id'])
    .where('m.sha256', '=', p.sha256)
    .orderBy('m.created_ts')
    .orderBy('m.media_id')
    .limit(bigint(p.limit)),
);
