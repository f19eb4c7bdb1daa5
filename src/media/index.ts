/** Files: the content repository. https://spec.matrix.org/v1.19/client-server-api/#content-repository */
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import type { MxcUri } from '../matrix/ids/mxc-uri.ts';
import type { Config } from '../platform/config/config.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import type { Metrics } from '../platform/metrics.ts';
import type {
  Clock,
  OutgoingHttp,
  OutgoingSockets,
  Random,
  Timers,
  WorkerProcesses,
  Workers,
} from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';
import type { Names } from '../storage/names.ts';
import type { MediaOrder } from '../storage/stores/media-administration-store.ts';
import {
  deleteFile,
  deleteMediaOfUser,
  listMediaOfUser,
  listMediaStatistics,
  type Page,
  setProtected,
  type StatisticsWish,
} from './administration.ts';
import { type MediaLife, startMediaLife } from './life/media-life.ts';
import type { BlobFacts } from './blob-store.ts';
import type { MediaContext } from './context.ts';
import { type CreatedContent, createContent, type Uploader } from './create-content.ts';
import { deleteUnusedMedia, type UnusedMediaWish } from './delete-unused-media.ts';
import { mediaMetrics } from './media-metrics.ts';
import { openBlobStore } from './open-blob-store.ts';
import {
  type ArrivingContent,
  openContent,
  type OpenedContent,
  type OpenOptions,
  openOrFollow,
  wholeContent,
} from './open-content.ts';
import { PendingContents } from './pending-contents.ts';
import type { RemoteContents } from './ports.ts';
import { quarantineFile, quarantineFilesInRoom, quarantineFilesOfUser, unquarantineFile } from './quarantine.ts';
import { RemoteCopies } from './remote/remote-copies.ts';
import { ResumableUploads } from './resumable/resumable-uploads.ts';
import { ContentScanner } from './scanning/content-scanner.ts';
import type { Finding } from './scanning/content-scans.ts';
import { listFindings } from './scanning/list-findings.ts';
import { openScans, withoutLargerFiles } from './scanning/open-scans.ts';
import { StoredBlobs } from './stored-blobs.ts';
import { addOwnContent } from './add-own-content.ts';
import { removeContent } from './remove-content.ts';
import { ImageWorkers } from './thumbnails/image-workers.ts';
import { Thumbnails, type ThumbnailWish } from './thumbnails/thumbnails.ts';
import { type PreviewImages, type PreviewRequest, UrlPreviews } from './url-preview/url-previews.ts';
import { type UploadBody, uploadContent, uploadContentToMxc, type UploadFacts } from './upload-content.ts';
import { UserQuotas } from './user-quotas.ts';

export type Media = Awaited<ReturnType<typeof openMedia>>;

export interface MediaDependencies {
  readonly db: Database;
  readonly names: Names;
  readonly config: Pick<Config, 'media' | 'urlPreviews' | 'serverName' | 'dataDir' | 'publicBaseUrl'>;
  readonly localServers: LocalServers;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly workers: Workers;
  readonly processes: WorkerProcesses;
  readonly http: OutgoingHttp;
  readonly sockets: OutgoingSockets;
  /** Files of other servers. */
  readonly contents: RemoteContents;
  /** Of this software. */
  readonly version: string;
  readonly metrics: Metrics;
  /** Told of what failed in the background. */
  readonly onFailed: (error: unknown) => void;
  /** Told of malware, once for each file. */
  readonly onFound: (finding: Finding) => void;
}

/** Opens the store of files, and removes what a killed process left half-done. */
export async function openMedia({
  config,
  workers,
  processes,
  http,
  sockets,
  contents,
  version,
  metrics,
  ...common
}: MediaDependencies) {
  const { db, clock, timers, random, onFailed } = common;
  const settings = withoutLargerFiles(config.media);
  const store = await openBlobStore(config, { workers, timers, onFailed });
  const blobs = new StoredBlobs({ db, store, clock, random, freeBytesMin: settings.freeBytesMin });
  const { userBytesMax, userFilesMax, userLimitInfoUri: infoUri = config.publicBaseUrl } = settings;
  const quotas = new UserQuotas({ db, userBytesMax, userFilesMax, infoUri });
  const pending = new PendingContents(db, timers);
  const onStored = (facts: BlobFacts): void => void prepare(facts).catch(onFailed);
  const counters = mediaMetrics(metrics);
  const scans = openScans({ ...common, settings, sockets, metrics: counters });
  const shared = { ...common, settings, blobs, quotas, pending, metrics: counters, scans, onStored };
  const remote = new RemoteCopies({ ...shared, contents });
  const ctx: MediaContext = { ...shared, remote };
  await blobs.collectDebris();
  const imageWorkers = new ImageWorkers({ processes, timers, ...settings.thumbnails });
  const thumbnails = new Thumbnails(ctx, imageWorkers, settings.thumbnails);
  const prepare = async (facts: BlobFacts): Promise<void> => {
    if ((await scans?.scanAhead(wholeContent(ctx, facts))) !== false) await thumbnails.prepare(facts);
  };
  const keptMs = settings.retention.previewDays * 86_400_000;
  const images = previewImages(ctx, config);
  const urlPreviews = new UrlPreviews({ ...common, config, http, version, images, keptMs });
  urlPreviews.start();
  const life = startMediaLife(ctx, settings, metrics);
  const resumable = new ResumableUploads(ctx);
  await resumable.start();
  return {
    uploadBytesMax: settings.uploadBytesMax,
    allowUnauthenticated: settings.allowUnauthenticated,
    create: (user: Uploader): Promise<CreatedContent> => createContent(ctx, user),
    upload: (user: Uploader, facts: UploadFacts, body: UploadBody): Promise<MxcUri> =>
      uploadContent(ctx, user, facts, body),
    uploadToMxc: (user: Uploader, uri: MxcUri, facts: UploadFacts, body: UploadBody): Promise<void> =>
      uploadContentToMxc(ctx, user, uri, facts, body),
    open: (uri: MxcUri, options: OpenOptions): Promise<OpenedContent> => openContent(ctx, uri, options),
    openOrFollow: (uri: MxcUri, options: OpenOptions): Promise<OpenedContent | ArrivingContent> =>
      openOrFollow(ctx, uri, options),
    openThumbnail: (uri: MxcUri, wish: ThumbnailWish, options: OpenOptions): Promise<OpenedContent> =>
      thumbnails.open(uri, wish, options),
    previewUrl: (request: PreviewRequest): Promise<string> => urlPreviews.preview(request),
    resumable,
    /** undefined: nothing is scanned. */
    contentScanner: scans && new ContentScanner(ctx, scans, settings.scanner),
    administration: { ...administrationOf(ctx, life), ...life.administration },
    nowMs: () => clock.nowMs(),
    /** Resolves when it is known which files the events name that are committed now; false: not yet. */
    roomQuotas: life.roomQuotas,
    referencesKnown: () => life.referencesKnown(),
    async close(): Promise<void> {
      await remote.close();
      await life.close();
      await resumable.close();
      pending.close();
      await urlPreviews.close();
      await scans?.close();
      await thumbnails.close();
      await store.close();
    },
  };
}

const administrationOf = (ctx: MediaContext, { counted, referencesKnown }: MediaLife) => ({
  listOfUser: (userId: UserId, page: Page<MediaOrder>) => listMediaOfUser(ctx, userId, page),
  deleteOfUser: (userId: UserId, page: Page<MediaOrder>) => counted(deleteMediaOfUser(ctx, userId, page)),
  statistics: (wish: StatisticsWish) => listMediaStatistics(ctx, wish),
  async delete(uri: MxcUri): Promise<void> {
    await counted(deleteFile(ctx, uri).then(() => [uri.mediaId]));
  },
  deleteUnused: (wish: UnusedMediaWish) => counted(deleteUnusedMedia(ctx, wish)),
  quarantine: (uri: MxcUri, by: UserId) => quarantineFile(ctx, uri, by),
  findings: (page: Pick<Page<never>, 'from' | 'limit'>) => listFindings(ctx, page),
  unquarantine: (uri: MxcUri, by: UserId) => unquarantineFile(ctx, uri, by),
  quarantineOfUser: (userId: UserId, by: UserId) => quarantineFilesOfUser(ctx, userId, by),
  quarantineInRoom: (roomId: RoomId, by: UserId) => quarantineFilesInRoom(ctx, roomId, by, referencesKnown),
  setProtected: (mediaId: string, isProtected: boolean) => setProtected(ctx, mediaId, isProtected),
});

const previewImages = (ctx: MediaContext, { serverName }: Pick<Config, 'serverName'>): PreviewImages => ({
  add: async (image) => (await addOwnContent(ctx, serverName, image)).mediaId,
  async remove(mediaId) {
    await removeContent(ctx, { serverName, mediaId });
  },
});
