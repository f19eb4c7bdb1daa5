/** Previews of URLs whose names lead where a spec says, with a clock that stands still. */
import type { PreviewImage } from '../../../src/media/url-preview/make-preview.ts';
import { type PreviewRequest, UrlPreviews } from '../../../src/media/url-preview/url-previews.ts';
import { MatrixError } from '../../../src/matrix/errors.ts';
import type { ServerName, UserId } from '../../../src/matrix/ids/ids.ts';
import { systemOutgoingHttp } from '../../../src/platform/outgoing-http.ts';
import type { Dns } from '../../../src/platform/ports.ts';
import { systemTimers } from '../../../src/platform/timers.ts';
import type { Database } from '../../../src/storage/database.ts';
import { type TestPorts, testPorts } from '../../support/test-ports.ts';

export interface TestPreviewsOptions {
  /** The addresses of names; all others lead to 127.0.0.1, which is allowed. */
  readonly names?: Readonly<Record<string, readonly string[] | (() => readonly string[])>>;
  readonly allowed?: readonly string[];
  readonly blocked?: readonly string[];
  readonly enabled?: boolean;
}
export interface TestPreviews {
  readonly previews: UrlPreviews;
  readonly ports: TestPorts;
  /** Of Alice, unless it is said otherwise. */
  ask(url: string, more?: Partial<PreviewRequest>): Promise<Record<string, unknown>>;
  /** Status and errcode; what was answered where it was no refusal. */
  refusal(url: string, more?: Partial<PreviewRequest>): Promise<unknown>;
  /** Images, by their media ids. */
  readonly stored: ReadonlyMap<string, PreviewImage>;
  readonly failed: readonly unknown[];
  close(): Promise<void>;
}

export async function startPreviews(db: Database, options: TestPreviewsOptions = {}): Promise<TestPreviews> {
  const ports = testPorts();
  const dns: Dns = {
    async lookup(host) {
      const known = options.names?.[host] ?? ['127.0.0.1'];
      const found = typeof known === 'function' ? known() : known;
      return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    },
    srv: () => Promise.resolve([]),
  };
  const policy = { allowPrivateAddresses: ['127.0.0.1'], caCertificates: [], verifyTls: true };
  const http = systemOutgoingHttp({ general: policy, federation: policy }, { dns, timers: systemTimers });
  const stored = new Map<string, PreviewImage>();
  const failed: unknown[] = [];
  const previews = new UrlPreviews({
    ...ports,
    db,
    http,
    config: {
      serverName: 'veche.test' as ServerName,
      urlPreviews: {
        enabled: options.enabled ?? true,
        allowed: options.allowed ?? [],
        blocked: options.blocked ?? [],
      },
    },
    images: {
      async add(given) {
        const mediaId = `image${stored.size}`;
        stored.set(mediaId, given);
        return mediaId;
      },
      remove: async (mediaId) => void stored.delete(mediaId),
    },
    keptMs: 7 * 86_400_000,
    version: '1.2.3',
    onFailed: (error) => failed.push(error),
  });
  const ask = async (url: string, more: Partial<PreviewRequest> = {}): Promise<Record<string, unknown>> => {
    const request = { url, ts: undefined, language: undefined, userId: '@alice:veche.test' as UserId, ...more };
    return JSON.parse(await previews.preview(request)) as Record<string, unknown>;
  };
  const refusal = (url: string, more: Partial<PreviewRequest> = {}): Promise<unknown> =>
    ask(url, more).catch((error: unknown) =>
      error instanceof MatrixError ? [error.status, error.errcode] : Promise.reject(error as Error),
    );
  return {
    previews,
    ports,
    ask,
    refusal,
    stored,
    failed,
    async close() {
      await previews.close();
      http.close();
    },
  };
}
