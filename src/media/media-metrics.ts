import type { Counter, Metrics } from '../platform/metrics.ts';

/** What is counted of files. */
export interface MediaMetrics {
  /** Files that were uploaded, and their bytes. */
  readonly uploads: Counter<never>;
  readonly uploadedBytes: Counter<never>;
  /** Answers with a file or a part of it, and the bytes of these. */
  readonly downloads: Counter<never>;
  readonly downloadedBytes: Counter<never>;
}

export function mediaMetrics(metrics: Metrics): MediaMetrics {
  return {
    uploads: metrics.counter('veche_media_uploads_total', 'Files that were uploaded.'),
    uploadedBytes: metrics.counter('veche_media_uploaded_bytes_total', 'Bytes of files that were uploaded.'),
    downloads: metrics.counter('veche_media_downloads_total', 'Answers with a file or a part of one.'),
    downloadedBytes: metrics.counter(
      'veche_media_downloaded_bytes_total',
      'Bytes of files that were opened to be sent.',
    ),
  };
}
