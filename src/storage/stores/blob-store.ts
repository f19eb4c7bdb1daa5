/** Which contents are stored, each once, whatever refers to it: table blob. The bytes are in the blob store of src/media. */
import { defineRead, defineWrite } from '../query.ts';

export interface BlobRow {
  readonly bytes: number;
  /** 0: it may or may not be in the blob store, and nothing refers to it. */
  readonly settled: number;
}

export const blobAt = defineRead<{ sha256: Buffer }, BlobRow>('blob.find', (q, p) =>
  q.selectFrom('blob').select(['bytes', 'settled']).where('sha256', '=', p.sha256),
);

/** Before the content is put into the blob store. Leaves one that is there as it is. */
export const announceBlob = defineWrite<{ sha256: Buffer; bytes: number; ts: number }>('blob.announce', (q, p) =>
  q
    .insertInto('blob')
    .values({ sha256: p.sha256, bytes: p.bytes, created_ts: p.ts, settled: 0 })
    .onConflict((conflict) => conflict.column('sha256').doNothing()),
);

/** Together with what refers to it. */
export const settleBlob = defineWrite<{ sha256: Buffer }>('blob.settle', (q, p) =>
  q.updateTable('blob').set({ settled: 1 }).where('sha256', '=', p.sha256),
);

/** Changes a row when nothing refers to the content any more: then it is to be removed from the blob store. */
export const unsettleBlob = defineWrite<{ sha256: Buffer }>('blob.unsettle', (q, p) =>
  q
    .updateTable('blob')
    .set({ settled: 0 })
    .where('sha256', '=', p.sha256)
    .where((e) => e.not(e.exists(e.selectFrom('media').select('media.sha256').where('media.sha256', '=', p.sha256))))
    .where((e) =>
      e.not(e.exists(e.selectFrom('thumbnail').select('thumbnail.sha256').where('thumbnail.sha256', '=', p.sha256))),
    )
    .where((e) =>
      e.not(e.exists(e.selectFrom('upload').select('upload.sha256').where('upload.sha256', '=', p.sha256))),
    ),
);

/** Once it is out of the blob store. */
export const forgetBlob = defineWrite<{ sha256: Buffer }>('blob.forget', (q, p) =>
  q.deleteFrom('blob').where('sha256', '=', p.sha256).where('settled', '=', 0),
);

export const unsettledBlobs = defineRead<Record<never, never>, { sha256: Buffer }>('blob.unsettled', (q) =>
  q.selectFrom('blob').select('sha256').where('settled', '=', 0),
);
