import { scanLimits } from './scan-limits.ts';

/** Fixed limits of files, their thumbnails, and previews of URLs: a part of `limits`. */
export const mediaLimits = {
  // Files
  /** Of one event; further ones are not seen. */
  mediaReferencesMax: 100,
  /** Of a list of files, or of whose they are, that an administrator asks for. */
  administeredMediaMax: 1_000,
  /** Files that are deleted, or rooms that are looked at, at once. */
  administeredMediaPageMax: 100,
  /** How long a download waits at most for what is not uploaded yet; and when it does not say how long. */
  mediaWaitMsMax: 60_000,
  mediaWaitMsDefault: 20_000,
  /** From so many bytes on a file of another server is passed on while it still comes, in pieces of that size. */
  arrivingBytesMin: 1_048_576,
  arrivingPieceBytes: 131_072,
  /** Rooms of which it is remembered how much their files have, and for how long that is believed. */
  roomQuotasKnownMax: 10_000,
  roomQuotaKnownMs: 600_000,
  /** After a start, and then, what nobody uses any more is looked for. */
  retentionFirstMs: 600_000,
  retentionEveryMs: 21_600_000,
  /** How often resumable uploads that have expired are removed. */
  uploadSweepMs: 600_000,

  ...scanLimits,

  // Thumbnails
  /** Larger images have none. */
  thumbnailSourceBytesMax: 33_554_432,
  /** Of all pictures of an animated image together; with more, its thumbnail does not move. */
  thumbnailAnimatedPixelsMax: 33_554_432,
  thumbnailFramesMax: 300,
  /** Of one image, from its first byte on the way to the process that makes it. */
  thumbnailMs: 20_000,
  thumbnailProcessBytesMax: 805_306_368,
  /** Without work, until a process is ended. */
  thumbnailProcessIdleMs: 60_000,
  thumbnailsWaitingMax: 200,
  /** Of one image; beyond, those that are there have to do. */
  thumbnailsPerImageMax: 64,
  /** For so long it is remembered of an image that it has none. */
  thumbnailFailureMs: 3_600_000,
  thumbnailFailuresMax: 2_000,
  imageHeadersMax: 10_000,
  /** An image that is as small as a thumbnail is one, unless it has more bytes than that. */
  thumbnailOriginalBytesMax: 524_288,

  // Previews of URLs
  /** Of a page; what comes behind them is not read. */
  previewPageBytesMax: 1_048_576,
  previewImageBytesMax: 8_388_608,
  previewOEmbedBytesMax: 65_536,
  /** Of one request; a preview takes up to three (page, oEmbed, image). */
  previewTimeoutMs: 10_000,
  previewIdleMs: 5_000,
  previewRedirectsMax: 5,
  previewUrlCharactersMax: 2_048,
  /** Of a title, a description or any other text. */
  previewTextCharactersMax: 1_000,
  /** `<meta>` tags that are looked at, and properties that are answered with. */
  previewPropertiesMax: 100,
  previewLanguageBytesMax: 100,
  previewsAtOnceMax: 8,
  previewsAtOncePerUserMax: 2,
  previewsWaitingMax: 200,
  /** For so long a page is not asked again; longer where it says so itself, up to a day. */
  previewFreshMs: 3_600_000,
  previewFreshMsMax: 86_400_000,
  /** For so long it is remembered that there was nothing, of so many URLs. */
  previewFailureMs: 300_000,
  previewFailuresMax: 1_000,
  /** Those that are older than `media.retention.preview_days` are looked for that often. */
  previewSweepMs: 3_600_000,
} as const;
