/** Uploads that may be continued on another connection: table upload. */
import { defineRead, defineWrite } from '../query.ts';

/** The names of their unfinished contents in the blob store. */
export const uploadIds = defineRead<Record<never, never>, { upload_id: string }>('upload.ids', (q) =>
  q.selectFrom('upload').select('upload_id'),
);

export const insertUpload = defineWrite<{
  uploadId: string;
  origin: string;
  mediaId: string;
  user: number;
  /** null: not known before the end. */
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
  }),
);
