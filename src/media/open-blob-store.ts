import { join } from 'node:path';
import type { Config } from '../platform/config/config.ts';
import type { Timers, Workers } from '../platform/ports.ts';
import type { BlobStore } from './blob-store.ts';
import { LocalBlobStore } from './local-blob-store.ts';
import { S3BlobStore } from './s3-blob-store.ts';
import type { S3Settings } from './s3-bucket.ts';

export interface BlobStorePorts {
  readonly workers: Workers;
  readonly timers: Timers;
  readonly onFailed: (error: unknown) => void;
}

/** The store that the configuration names. Throws OperatorError when it cannot be used. */
export async function openBlobStore(
  { media, dataDir }: Pick<Config, 'media' | 'dataDir'>,
  { workers, timers, onFailed }: BlobStorePorts,
): Promise<BlobStore & { close(): Promise<void> }> {
  const folder = media.folder ?? join(dataDir, 'media');
  if (media.storage === 'local') return LocalBlobStore.open(folder, { workers });
  return S3BlobStore.open({ folder, settings: s3SettingsOf(media.s3), workers, timers, onFailed });
}

/** The configuration was refused before if one of them is missing. */
function s3SettingsOf({ bucket, accessKeyId, secretAccessKey, ...others }: Config['media']['s3']): S3Settings {
  if (bucket === undefined || accessKeyId === undefined || secretAccessKey === undefined)
    throw new TypeError('media.s3 is not complete');
  return { ...others, bucket, accessKeyId, secretAccessKey };
}
