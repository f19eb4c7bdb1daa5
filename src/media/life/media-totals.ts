import { blobTotals, mediaTotals, namedMediaTotals, thumbnailTotals } from '../../storage/stores/media-totals-store.ts';
import type { MediaContext } from '../context.ts';
import type { LifeMetrics } from './life-metrics.ts';

/** Files of users here, images of previews, and copies of other servers' files. */
export type MediaClass = 'local' | 'preview' | 'remote';
export type TotalKind = MediaClass | 'thumbnail';

export interface Total {
  readonly files: number;
  readonly bytes: number;
}
export interface MediaTotals {
  /** Each file in full, also where several have the same content. */
  readonly classes: Readonly<Record<TotalKind, Total>>;
  /** Each content once, as it is stored. */
  readonly stored: Total;
  readonly quarantined: number;
  readonly protected: number;
  /** How many pairs of an event and a file that it names are known, and how many files these are. */
  readonly references: number;
  readonly named: number;
}

/** Counts everything: a second or so for a million files. */
export async function loadMediaTotals({
  db,
  localServers,
}: Pick<MediaContext, 'db' | 'localServers'>): Promise<MediaTotals> {
  const classes: Record<TotalKind, Total> = { local: none, preview: none, remote: none, thumbnail: none };
  let [quarantined, guarded] = [0, 0];
  for (const row of await db.all(mediaTotals, { localNames: localServers.names() })) {
    classes[row.class] = { files: row.files, bytes: row.bytes };
    quarantined += row.quarantined;
    guarded += row.protected;
  }
  classes.thumbnail = (await db.one(thumbnailTotals, {})) ?? none;
  const stored = (await db.one(blobTotals, {})) ?? none;
  const { references = 0, files: named = 0 } = (await db.one(namedMediaTotals, {})) ?? {};
  return { classes, stored, quarantined, protected: guarded, references, named };
}

/** As metrics. */
export function showTotals(metrics: LifeMetrics, { classes, stored }: MediaTotals): void {
  for (const [label, { files, bytes }] of [...Object.entries(classes), ['stored', stored] as const]) {
    metrics.files.set({ class: label }, files);
    metrics.bytes.set({ class: label }, bytes);
  }
}

const none: Total = { files: 0, bytes: 0 };
