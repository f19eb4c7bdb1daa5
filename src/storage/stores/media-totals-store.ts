/** How much there is of files. These look at every row. */
import { type Expression, expressionBuilder, sql, type SqlBool } from 'kysely';
import { defineRead, type Placeholders } from '../query.ts';
import type { Schema } from '../schema.ts';

export interface MediaTotalRow {
  readonly class: 'local' | 'preview' | 'remote';
  readonly files: number;
  readonly bytes: number;
  readonly quarantined: number;
  readonly protected: number;
}
/** Of what has content, by whose it is. */
export const mediaTotals = defineRead<{ localNames: readonly string[] }, MediaTotalRow>(
  'media.totals',
  (_q, p) => sql<MediaTotalRow>`select class, count(*) as files, cast(sum(bytes) as bigint) as bytes,
      cast(sum(case when quarantined_by is null then 0 else 1 end) as bigint) as quarantined,
      cast(sum(protected) as bigint) as protected
    from (select case when not ${isOfThisServer(p)} then 'remote' when user_nid is null then 'preview' else 'local' end
      as class, bytes, quarantined_by, protected from media where sha256 is not null) as m
    group by class`,
);

const isOfThisServer = (p: Placeholders<{ localNames: readonly string[] }>): Expression<SqlBool> =>
  expressionBuilder<Schema, 'media'>()('origin', 'in', p.list('localNames'));

interface TotalRow {
  readonly files: number;
  readonly bytes: number;
}
export const thumbnailTotals = defineRead<Record<never, never>, TotalRow>(
  'thumbnail.totals',
  () => sql<TotalRow>`select count(*) as files, cast(coalesce(sum(bytes), 0) as bigint) as bytes from thumbnail`,
);
/** Each content once. */
export const blobTotals = defineRead<Record<never, never>, TotalRow>(
  'blob.totals',
  () =>
    sql<TotalRow>`select count(*) as files, cast(coalesce(sum(bytes), 0) as bigint) as bytes from blob where settled = 1`,
);
export const namedMediaTotals = defineRead<Record<never, never>, { references: number; files: number }>(
  'mediaReference.totals',
  () => sql<{
    references: number;
    files: number;
  }>`select cast(coalesce(sum(events), 0) as bigint) as "references", count(*) as files
    from (select count(*) as events from media_reference group by origin, media_id) as r`,
);
