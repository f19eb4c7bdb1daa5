import type { RoomId } from '../../matrix/ids/ids.ts';
import type { MxcUri } from '../../matrix/ids/mxc-uri.ts';
import type { Config } from '../../platform/config/config.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { StreamFollower } from '../../rooms/stream-follower.ts';
import type { MediaContext } from '../context.ts';
import { ReferenceDerivation } from '../references/reference-derivation.ts';
import { lifeMetrics } from './life-metrics.ts';
import { getFileInfo, listMediaOfRoom, purgeRemoteMedia, type RoomMedia } from './look-after-media.ts';
import { MediaRetention } from './media-retention.ts';
import { loadMediaTotals } from './media-totals.ts';
import { RoomQuotas } from './room-quotas.ts';
import type { Removing } from './remove-idle-media.ts';

export type MediaLife = ReturnType<typeof startMediaLife>;

/** Begins to follow which events name which files, and to delete what nobody uses. */
export function startMediaLife(
  ctx: MediaContext,
  { retention: settings, roomBytesMax }: Pick<Config['media'], 'retention' | 'roomBytesMax'>,
  registry: Metrics,
) {
  const { db, timers, onFailed } = ctx;
  const metrics = lifeMetrics(registry);
  const references = new StreamFollower(db, new ReferenceDerivation(db), { timers, onFailed });
  /** Resolves when it is known which files the events name that are committed now; false: not yet. */
  const referencesKnown = async (): Promise<boolean> => {
    await references.caughtUp();
    return references.isLive;
  };
  const removing: MediaContext & Removing = { ...ctx, referencesKnown };
  const retention = new MediaRetention({ ...removing, settings, metrics });
  retention.start();
  return {
    roomQuotas: new RoomQuotas({ db, clock: ctx.clock, roomBytesMax, referencesKnown }),
    referencesKnown,
    /** Counts what an administrator deletes. */
    async counted(deletion: Promise<readonly string[]>): Promise<readonly string[]> {
      const deleted = await deletion;
      if (deleted.length > 0) metrics.countRemoved('administrator', deleted.length, 0);
      return deleted;
    },
    administration: {
      totals: () => loadMediaTotals(ctx),
      async listOfRoom(roomId: RoomId): Promise<RoomMedia> {
        await referencesKnown();
        return listMediaOfRoom(ctx, roomId);
      },
      find: (uri: MxcUri) => getFileInfo(ctx, uri),
      async purgeRemote(beforeTs: number): Promise<number> {
        const { files, bytes } = await purgeRemoteMedia(removing, beforeTs);
        if (files > 0) metrics.countRemoved('administrator', files, bytes);
        return files;
      },
    },
    async close(): Promise<void> {
      await retention.close();
      await references.close();
    },
  };
}
