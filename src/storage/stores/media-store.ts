/** What an mxc URI stands for: table media. https://spec.matrix.org/v1.19/client-server-api/#content-repository */
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface MediaRow {
  /** null: created, and nothing is uploaded yet. */
  readonly sha256: Buffer | null;
  readonly bytes: number | null;
  readonly content_type: string | null;
  readonly file_name: string | null;
  /** Whose upload it is; null: of nobody here. */
  readonly user_nid: number | null;
  /** Milliseconds since the Unix epoch. */
  readonly created_ts: number;
  /** Until when the content must have come; null once it is there. */
  readonly expires_ts: number | null;
  /** The beginning of a day. */
  readonly last_access_ts: number | null;
  readonly quarantined_by: string | null;
  /** 1: cannot be quarantined. */
  readonly protected: number;
}

export const mediaAt = defineRead<{ origin: string; mediaId: string }, MediaRow>('media.find', (q, p) =>
  q
    .selectFrom('media')
    .select([
      'sha256',
      'bytes',
      'content_type',
      'file_name',
      'user_nid',
      'created_ts',
      'expires_ts',
      'last_access_ts',
      'quarantined_by',
      'protected',
    ])
    .where('origin', '=', p.origin)
    .where('media_id', '=', p.mediaId),
);

export const insertMedia = defineWrite<{
  origin: string;
  mediaId: string;
  sha256: Buffer | null;
  bytes: number | null;
  contentType: string | null;
  fileName: string | null;
  user: number | null;
  createdTs: number;
  expiresTs: number | null;
}>('media.insert', (q, p) =>
  q.insertInto('media').values({
    origin: p.origin,
    media_id: p.mediaId,
    sha256: p.sha256,
    bytes: p.bytes,
    content_type: p.contentType,
    file_name: p.fileName,
    user_nid: p.user,
    created_ts: p.createdTs,
    expires_ts: p.expiresTs,
    last_access_ts: null,
    quarantined_by: null,
    protected: 0,
  }),
);

/** Gives content to what was created without; changes nothing where there is some already. */
export const fillMedia = defineWrite<{
  origin: string;
  mediaId: string;
  sha256: Buffer;
  bytes: number;
  contentType: string | null;
  fileName: string | null;
}>('media.fill', (q, p) =>
  q
    .updateTable('media')
    .set({ sha256: p.sha256, bytes: p.bytes, content_type: p.contentType, file_name: p.fileName, expires_ts: null })
    .where('origin', '=', p.origin)
    .where('media_id', '=', p.mediaId)
    .where('sha256', 'is', null),
);

/** How many a user has created that wait for their content, and when the first of them expires. */
export const pendingMedia = defineRead<{ user: number; now: number }, { count: number; first_ts: number | null }>(
  'media.pending',
  (q, p) =>
    q
      .selectFrom('media')
      .select((e) => [e.fn.countAll<number>().as('count'), e.fn.min('expires_ts').as('first_ts')])
      .where('user_nid', '=', p.user)
      .where('sha256', 'is', null)
      .where('expires_ts', '>', p.now),
);

/** Until when what was created may be uploaded; changes nothing where there is content. */
export const setMediaExpiry = defineWrite<{ origin: string; mediaId: string; expiresTs: number }>(
  'media.setExpiry',
  (q, p) =>
    q
      .updateTable('media')
      .set({ expires_ts: p.expiresTs })
      .where('origin', '=', p.origin)
      .where('media_id', '=', p.mediaId)
      .where('sha256', 'is', null),
);

/** Of what was created and never uploaded. */
export const deleteExpiredMedia = defineWrite<{ before: number }>('media.deleteExpired', (q, p) =>
  q.deleteFrom('media').where('sha256', 'is', null).where('expires_ts', '<=', p.before),
);

export const noteMediaAccess = defineWrite<{ origin: string; mediaId: string; day: number }>(
  'media.noteAccess',
  (q, p) =>
    q
      .updateTable('media')
      .set({ last_access_ts: p.day })
      .where('origin', '=', p.origin)
      .where('media_id', '=', p.mediaId)
      .where((e) => e.or([e('last_access_ts', 'is', null), e('last_access_ts', '<', bigint(p.day))])),
);

export const deleteMedia = defineWrite<{ origin: string; mediaId: string }>('media.delete', (q, p) =>
  q.deleteFrom('media').where('origin', '=', p.origin).where('media_id', '=', p.mediaId),
);

/** Changes nothing where there is content by now. */
export const deletePendingMedia = defineWrite<{ origin: string; mediaId: string }>('media.deletePending', (q, p) =>
  q.deleteFrom('media').where('origin', '=', p.origin).where('media_id', '=', p.mediaId).where('sha256', 'is', null),
);
