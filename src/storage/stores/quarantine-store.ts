/** What is hidden from everybody: rows of table media, and contents wherever they come from, table quarantined_content. */
import { sql } from 'kysely';
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

/** A file of another server that is not here, so that it does not come. Changes nothing where there is a row of it. */
export const quarantineUnread = defineWrite<{ origin: string; mediaId: string; by: string; ts: number }>(
  'quarantine.unread',
  (q, p) =>
    q
      .insertInto('media')
      .values({
        origin: p.origin,
        media_id: p.mediaId,
        sha256: null,
        bytes: null,
        content_type: null,
        file_name: null,
        user_nid: null,
        created_ts: p.ts,
        expires_ts: null,
        last_access_ts: null,
        quarantined_by: p.by,
        protected: 0,
      })
      .onConflict((conflict) => conflict.columns(['origin', 'media_id']).doNothing()),
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

/** The size of the largest content in quarantine; as large as a number can be where that of one is not known. null: there is none. */
export const largestQuarantined = defineRead<Record<never, never>, { bytes: number | null }>(
  'quarantine.largest',
  () => sql<{ bytes: number | null }>`select max(coalesce(b.bytes, ${sql.lit(Number.MAX_SAFE_INTEGER)})) as bytes
    from quarantined_content as c left join blob as b on b.sha256 = c.sha256`,
);
