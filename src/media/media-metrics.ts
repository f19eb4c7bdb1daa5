import type { Counter, Histogram, Metrics } from '../platform/metrics.ts';

/** What is counted of files. */
export interface MediaMetrics {
  /** Files that were uploaded, and their bytes. */
  readonly uploads: Counter<never>;
  readonly uploadedBytes: Counter<never>;
  /** Files of other servers that were asked for, by what came of it, and the bytes of those that were stored. */
  readonly remoteFetches: Counter<'outcome'>;
  readonly remoteBytes: Counter<never>;
  /** Answers with a file or a part of it, and the bytes of these. */
  readonly downloads: Counter<never>;
  readonly downloadedBytes: Counter<never>;
  /** Looks for malware, by what came of them. */
  readonly scans: Counter<'result'>;
  readonly scanSeconds: Histogram<never>;
}

export function mediaMetrics(metrics: Metrics): MediaMetrics {
  return {
    uploads: metrics.counter('veche_media_uploads_total', 'Files that were uploaded.'),
    uploadedBytes: metrics.counter('veche_media_uploaded_bytes_total', 'Bytes of files that were uploaded.'),
    remoteFetches: metrics.counter(
      'veche_media_remote_fetches_total',
      'Files of other servers that were fetched: stored, not_found, not_yet_uploaded, too_large, no_room or failed.',
      ['outcome'],
    ),
    remoteBytes: metrics.counter(
      'veche_media_remote_bytes_total',
      'Bytes of files of other servers that were fetched and stored.',
    ),
    downloads: metrics.counter('veche_media_downloads_total', 'Answers with a file or a part of one.'),
    downloadedBytes: metrics.counter(
      'veche_media_downloaded_bytes_total',
      'Bytes of files that were opened to be sent.',
    ),
    scans: metrics.counter('veche_media_scans_total', 'Scans of files for malware: clean, infected or failed.', [
      'result',
    ]),
    scanSeconds: metrics.histogram('veche_media_scan_seconds', 'How long the scan of a file took.'),
  };
}
