import type { LocalServers } from '../platform/local-servers.ts';
import type { Clock, Random, Timers } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';
import type { Names } from '../storage/names.ts';
import type { PendingContents } from './pending-contents.ts';
import type { StoredBlobs } from './stored-blobs.ts';
import type { BlobFacts } from './blob-store.ts';
import type { MediaMetrics } from './media-metrics.ts';
import type { ContentScans } from './scanning/content-scans.ts';
import type { RemoteCopies } from './remote/remote-copies.ts';
import type { UserQuotas } from './user-quotas.ts';

/** What the functions of this folder work with. */
export interface MediaContext {
  readonly db: Database;
  readonly names: Names;
  readonly localServers: LocalServers;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly settings: MediaSettings;
  readonly blobs: StoredBlobs;
  readonly quotas: UserQuotas;
  readonly pending: PendingContents;
  readonly remote: Pick<RemoteCopies, 'find' | 'findOrFollow'>;
  readonly metrics: MediaMetrics;
  /** undefined: nothing is scanned. */
  readonly scans: ContentScans | undefined;
  /** Told of each file once it is stored. */
  readonly onStored: (facts: BlobFacts) => void;
  /** Told of what failed in the background. */
  readonly onFailed: (error: unknown) => void;
}

/** Section `media` of the configuration. */
export interface MediaSettings {
  readonly uploadBytesMax: number;
  /** undefined: as large as an upload. */
  readonly remoteBytesMax: number | undefined;
  readonly freeBytesMin: number;
  readonly pendingUploadsMax: number;
  readonly pendingUploadHours: number;
  readonly resumableUploadsMax: number;
  readonly resumableUploadHours: number;
}
