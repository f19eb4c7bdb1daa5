import { createHash } from 'node:crypto';
import { forbidden, invalidParam, MatrixError } from '../../matrix/errors.ts';
import type { ServerName, UserId } from '../../matrix/ids/ids.ts';
import type { Config } from '../../platform/config/config.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import type { Clock, OutgoingHttp, TimerHandle, Timers } from '../../platform/ports.ts';
import { Semaphore, SemaphoreFull } from '../../platform/semaphore.ts';
import { TurnsOfCallers } from '../../platform/turns-of-callers.ts';
import type { Database } from '../../storage/database.ts';
import {
  addUrlPreview,
  deleteUrlPreview,
  oldUrlPreviews,
  urlPreviewAt,
} from '../../storage/stores/url-preview-store.ts';
import { absoluteUrl } from './absolute-url.ts';
import type { PreviewImage } from './make-preview.ts';
import { PageFetcher } from './page-fetcher.ts';
import { UrlRules } from './url-rules.ts';

/** Where images of previews are kept. */
export interface PreviewImages {
  /** As media of this server, for everybody; gives its media id. */
  add(image: PreviewImage): Promise<string>;
  /** Nothing names it any more. */
  remove(mediaId: string): Promise<void>;
}
export interface UrlPreviewDependencies {
  readonly db: Database;
  readonly config: Pick<Config, 'urlPreviews' | 'serverName'>;
  readonly http: OutgoingHttp;
  readonly images: PreviewImages;
  readonly clock: Clock;
  readonly timers: Pick<Timers, 'after'>;
  /** For so long previews are kept for those who ask for what was then. */
  readonly keptMs: number;
  /** Of the server: stands in the user agent. */
  readonly version: string;
  /** Told of what failed in the background. */
  readonly onFailed: (error: unknown) => void;
}
export interface PreviewRequest {
  readonly url: string;
  /** The preferred point in time, in milliseconds since 1970. */
  readonly ts: number | undefined;
  /** The Accept-Language header of the request. */
  readonly language: string | undefined;
  readonly userId: UserId;
}

/** What pages say of themselves, asked for once and kept for a while. */
export class UrlPreviews {
  readonly #ctx: UrlPreviewDependencies;
  readonly #serverName: ServerName;
  readonly #rules: UrlRules;
  readonly #fetcher: PageFetcher;
  /** Those that are being made, by what was asked. */
  readonly #making = new Map<string, Promise<string>>();
  readonly #failures = new Lru<string, { readonly error: MatrixError; readonly untilMs: number }>({
    sizeMax: limits.previewFailuresMax,
  });
  readonly #atOnce = new Semaphore(limits.previewsAtOnceMax, limits.previewsWaitingMax);
  readonly #ofUsers = new TurnsOfCallers(limits.previewsAtOncePerUserMax, limits.previewsWaitingMax);
  #sweepTimer: TimerHandle | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(ctx: UrlPreviewDependencies) {
    this.#ctx = ctx;
    this.#serverName = ctx.config.serverName;
    this.#rules = new UrlRules(ctx.config.urlPreviews);
    const userAgent = `veche/${ctx.version} (URL preview; ${ctx.config.serverName})`;
    this.#fetcher = new PageFetcher({ http: ctx.http, clock: ctx.clock, rules: this.#rules, userAgent });
  }

  get isEnabled(): boolean {
    return this.#ctx.config.urlPreviews.enabled;
  }

  /**
   * The Open Graph data of a URL, as JSON text. Errors: M_INVALID_PARAM for what is no http or https URL, M_FORBIDDEN where previews are off
   * or the URL may not be asked for, M_NOT_FOUND where there is nothing, 502 M_UNKNOWN where the page cannot be had, M_LIMIT_EXCEEDED
   * when too many wait. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediapreview_url
   */
  async preview(request: PreviewRequest): Promise<string> {
    if (!this.isEnabled) throw forbidden('This server makes no previews of URLs');
    const url = absoluteUrl(request.url, 'about:blank');
    if (url === undefined) throw invalidParam('url is not an http or https URL');
    if (!this.#rules.allows(new URL(url))) throw forbidden('This URL is not previewed');
    const language = usableLanguage(request.language);
    const asked = createHash('sha256')
      .update(`${url}\n${language ?? ''}`)
      .digest();
    return (await this.#find(asked, request.ts)) ?? (await this.#makeOnce(url, language, asked, request.userId));
  }

  /** Begins to forget what is old. */
  start(): void {
    if (this.#isClosed) return;
    this.#sweepTimer = this.#ctx.timers.after(limits.previewSweepMs, () => {
      this.#sweeping = this.#sweep().catch(this.#ctx.onFailed);
      this.start();
    });
  }

  /** Resolves when nothing is written any more; pages that are being asked for are given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sweepTimer?.cancel();
    await this.#sweeping;
  }

  /** What was told at that time, or what is told now. */
  async #find(asked: Buffer, ts: number | undefined): Promise<string | undefined> {
    const nowMs = this.#ctx.clock.nowMs();
    const times = ts === undefined || ts >= nowMs ? [nowMs] : [ts, nowMs];
    for (const time of times) {
      const row = await this.#ctx.db.one(urlPreviewAt, { asked, ts: time });
      if (row !== undefined && time < row.expires_ts) return row.json;
    }
    return undefined;
  }

  /** Whoever asks for the same meanwhile waits for the same, also for what went wrong a short while ago. */
  async #makeOnce(url: string, language: string | undefined, asked: Buffer, userId: UserId): Promise<string> {
    const key = asked.toString('latin1');
    const failure = this.#failures.find(key);
    if (failure !== undefined && failure.untilMs > this.#ctx.clock.nowMs()) throw failure.error;
    const current = this.#making.get(key);
    if (current !== undefined) return current;
    // It may have been made since the caller looked.
    const make = async (): Promise<string> =>
      (await this.#find(asked, undefined)) ?? (await this.#make(url, language, asked));
    const making = this.#inTurn(userId, make).finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return making;
  }

  async #make(url: string, language: string | undefined, asked: Buffer): Promise<string> {
    const { db, clock, images } = this.#ctx;
    let imageMediaId: string | null = null;
    const storeImage = async (image: PreviewImage): Promise<string> => {
      imageMediaId = await images.add(image);
      return `mxc://${this.#serverName}/${imageMediaId}`;
    };
    try {
      // A parser of HTML is large: it is there from the first preview on.
      const { makePreview } = await import('./make-preview.ts');
      const { properties, maxAgeMs } = await makePreview(url, { fetcher: this.#fetcher, language, storeImage });
      const json = JSON.stringify(properties);
      const freshMs = Math.min(Math.max(maxAgeMs ?? 0, limits.previewFreshMs), limits.previewFreshMsMax);
      const fetchedTs = clock.nowMs();
      const row = { asked, fetchedTs, expiresTs: fetchedTs + freshMs, json, imageMediaId };
      if (!this.#isClosed) await db.write((unit) => unit.run(addUrlPreview, row)).committed;
      return json;
    } catch (error) {
      if (error instanceof MatrixError) this.#noteFailure(asked, error);
      throw error;
    }
  }

  #noteFailure(asked: Buffer, error: MatrixError): void {
    const untilMs = this.#ctx.clock.nowMs() + limits.previewFailureMs;
    this.#failures.set(asked.toString('latin1'), { error, untilMs });
  }

  /** One user's slow pages keep nobody else waiting. */
  async #inTurn(userId: UserId, make: () => Promise<string>): Promise<string> {
    try {
      return await this.#ofUsers.run(userId, () => this.#atOnce.run(make));
    } catch (error) {
      if (error instanceof SemaphoreFull)
        throw new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many previews are being made', { retry_after_ms: 5_000 });
      throw error;
    }
  }

  async #sweep(): Promise<void> {
    const { db, clock, images } = this.#ctx;
    const ts = clock.nowMs() - this.#ctx.keptMs;
    for (;;) {
      const rows = await db.all(oldUrlPreviews, { ts });
      if (rows.length === 0 || this.#isClosed) return;
      // The image first: a preview whose image could not be removed is looked at again.
      for (const { image_media_id: mediaId } of rows) if (mediaId !== null) await images.remove(mediaId);
      await db.write((unit) => {
        for (const row of rows) unit.run(deleteUrlPreview, { asked: row.asked, fetchedTs: row.fetched_ts });
      }).committed;
    }
  }
}

/** Undefined for what is no list of languages. */
function usableLanguage(header: string | undefined): string | undefined {
  const text = header?.trim() ?? '';
  const isUsable = text.length <= limits.previewLanguageBytesMax && /^[A-Za-z0-9*][A-Za-z0-9*,;=. -]*$/.test(text);
  return isUsable ? text : undefined;
}
