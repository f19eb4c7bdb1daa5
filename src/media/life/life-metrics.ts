import type { Gauge, Metrics } from '../../platform/metrics.ts';

/** What is counted of the life of files. */
export interface LifeMetrics {
  countRemoved(why: string, files: number, bytes: number): void;
  readonly files: Gauge<'class'>;
  readonly bytes: Gauge<'class'>;
}

export function lifeMetrics(metrics: Metrics): LifeMetrics {
  const files = metrics.counter(
    'veche_media_removed_total',
    'Files and thumbnails that were deleted, by why: local, unreferenced, remote and thumbnail by retention, administrator.',
    ['why'],
  );
  const bytes = metrics.counter(
    'veche_media_removed_bytes_total',
    'Bytes of those that retention deleted; what other files have too is still stored.',
    ['why'],
  );
  return {
    countRemoved(why, fileCount, byteCount) {
      files.add({ why }, fileCount);
      if (byteCount > 0) bytes.add({ why }, byteCount);
    },
    files: metrics.gauge('veche_media_files', 'How many files there were at the last round of retention.', ['class']),
    bytes: metrics.gauge('veche_media_bytes', 'How large they were together; class stored: each content once.', [
      'class',
    ]),
  };
}
