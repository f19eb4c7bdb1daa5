/** What the functions of src/media work with, over a database and a folder of a spec. */
import type { BlobStore } from '../../../src/media/blob-store.ts';
import type { MediaContext } from '../../../src/media/context.ts';
import { mediaMetrics } from '../../../src/media/media-metrics.ts';
import { PendingContents } from '../../../src/media/pending-contents.ts';
import { StoredBlobs } from '../../../src/media/stored-blobs.ts';
import { UserQuotas } from '../../../src/media/user-quotas.ts';
import { loadConfig } from '../../../src/platform/config/config.ts';
import { Metrics } from '../../../src/platform/metrics.ts';
import type { Ports } from '../../../src/platform/ports.ts';
import type { Database } from '../../../src/storage/database.ts';
import { Names } from '../../../src/storage/names.ts';
import { localServersOfTests } from '../../support/test-accounts.ts';
import { noRemote } from './no-remote.ts';

export function mediaContext(db: Database, store: BlobStore, { clock, timers, random }: Ports): MediaContext {
  return {
    db,
    names: new Names(db),
    localServers: localServersOfTests(),
    clock,
    timers,
    random,
    settings: { ...loadConfig(undefined, {}).media, freeBytesMin: 0 },
    blobs: new StoredBlobs({ db, store, clock, random, freeBytesMin: 0 }),
    quotas: new UserQuotas({ db, userBytesMax: undefined, userFilesMax: undefined, infoUri: '' }),
    pending: new PendingContents(db, timers),
    remote: noRemote,
    metrics: mediaMetrics(new Metrics({ process: false })),
    scans: undefined,
    onStored: () => undefined,
    onFailed: (error) => {
      throw error;
    },
  };
}

export async function* bodyOf(text: string): AsyncIterable<Buffer> {
  yield Buffer.from(text);
}
