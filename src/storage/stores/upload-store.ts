/** Uploads that may be continued on another connection: table upload. */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface UploadRow {
  /** base64url; names the unfinished content in the blob store too. */
  readonly upload_id: string;
  readonly origin: string;
  readonly media_id: string;
  readonly user_nid: number;
  /** null until the client has said it. */
  readonly bytes: number | null;
  readonly content_type: string | null;
  readonly file_name: string | null;
  readonly created_ts: number;
  readonly expires_ts: number;
  /** The first bytes, at most 16. */
  readonly head: Buffer | null;
  /** Of what was received to its end and is not under its URI yet. */
  readonly sha256: Buffer | null;
  /** Since when it is under its URI. */
  readonly completed_ts: number | null;
}

const columns = [
  'upload_id',
  'origin',
  'media_id',
  'user_nid',
  'bytes',
  'content_type',
  'file_name',
  'created_ts',
  'expires_ts',
  'head',
  'sha256',
  'completed_ts',
] as const;

/** The names of their unfinished contents in the blob store. */
export const uploadIds = defineRead<Record<never, never>, { upload_id: string }>('upload.ids', (q) =>
  q.selectFrom('upload').select('upload_id'),
);

export const uploadAt = defineRead<{ id: string }, UploadRow>('upload.find', (q, p) =>
  q.selectFrom('upload').select(columns).where('upload_id', '=', p.id),
);

/** How many a user has that are not at their end, and when the first of them expires. */
export const openUploads = defineRead<{ user: number }, { count: number; first_ts: number | null }>(
  'upload.open',
  (q, p) =>
    q
      .selectFrom('upload')
      .select((e) => [e.fn.countAll<number>().as('count'), e.fn.min('expires_ts').as('first_ts')])
      .where('user_nid', '=', p.user)
      .where('completed_ts', 'is', null),
);

/** What a user's open ones will be, as far as it was said. */
export const openUploadUsage = defineRead<{ user: number }, { files: number; bytes: number }>(
  'upload.openUsage',
  (q, p) =>
    q
      .selectFrom('upload')
      .select((e) => [
        e.fn.countAll<number>().as('files'),
        e.cast<number>(e.fn.coalesce(e.fn.sum('bytes'), sql`0`), 'bigint').as('bytes'),
      ])
      .where('user_nid', '=', p.user)
      .where('completed_ts', 'is', null),
);

/** A few of those that have expired. */
export const expiredUploads = defineRead<{ now: number; limit: number }, { upload_id: string }>(
  'upload.expired',
  (q, p) =>
    q
      .selectFrom('upload')
      .select('upload_id')
      .where('expires_ts', '<=', p.now)
      .orderBy('expires_ts')
      .limit(bigint(p.limit)),
);

/** Those of which all was received, while their contents are not under their URIs. */
export const receivedUploads = defineRead<Record<never, never>, UploadRow>('upload.received', (q) =>
  q.selectFrom('upload').select(columns).where('sha256', 'is not', null),
);

export const insertUpload = defineWrite<{
  uploadId: string;
  origin: string;
  mediaId: string;
  user: number;
  bytes: number | null;
  contentType: string | null;
  fileName: string | null;
  createdTs: number;
  expiresTs: number;
}>('upload.insert', (q, p) =>
  q.insertInto('upload').values({
    upload_id: p.uploadId,
    origin: p.origin,
    media_id: p.mediaId,
    user_nid: p.user,
    bytes: p.bytes,
    content_type: p.contentType,
    file_name: p.fileName,
    created_ts: p.createdTs,
    expires_ts: p.expiresTs,
    head: null,
    sha256: null,
    completed_ts: null,
  }),
);

export const setUploadExpiry = defineWrite<{ id: string; expiresTs: number }>('upload.setExpiry', (q, p) =>
  q.updateTable('upload').set({ expires_ts: p.expiresTs }).where('upload_id', '=', p.id),
);

export const setUploadBytes = defineWrite<{ id: string; bytes: number }>('upload.setBytes', (q, p) =>
  q.updateTable('upload').set({ bytes: p.bytes }).where('upload_id', '=', p.id),
);

export const setUploadHead = defineWrite<{ id: string; head: Buffer }>('upload.setHead', (q, p) =>
  q.updateTable('upload').set({ head: p.head }).where('upload_id', '=', p.id),
);

/** All of it was received, and from now on this refers to the content. */
export const setUploadReceived = defineWrite<{ id: string; sha256: Buffer; bytes: number }>(
  'upload.setReceived',
  (q, p) => q.updateTable('upload').set({ sha256: p.sha256, bytes: p.bytes }).where('upload_id', '=', p.id),
);

/** Together with what puts it under its URI, which refers to the content from then on. */
export const setUploadCompleted = defineWrite<{ id: string; bytes: number; ts: number; expiresTs: number }>(
  'upload.setCompleted',
  (q, p) =>
    q
      .updateTable('upload')
      .set({ sha256: null, bytes: p.bytes, completed_ts: p.ts, expires_ts: p.expiresTs })
      .where('upload_id', '=', p.id),
);

export const deleteUpload = defineWrite<{ id: string }>('upload.delete', (q, p) =>
  q.deleteFrom('upload').where('upload_id', '=', p.id),
);
