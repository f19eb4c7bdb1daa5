/** Uploads that may be continued on another connection: table upload. */
import { defineRead } from '../query.ts';

/** The names of their unfinished contents in the blob store. */
export const uploadIds = defineRead<Record<never, never>, { upload_id: string }>('upload.ids', (q) =>
  q.selectFrom('upload').select('upload_id'),
);
