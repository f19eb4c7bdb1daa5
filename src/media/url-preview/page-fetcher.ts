import { forbidden, MatrixError, notFound } from '../../matrix/errors.ts';
import { limits } from '../../platform/limits.ts';
import { OutgoingHttpError } from '../../platform/outgoing-http-error.ts';
import type { Clock, OutgoingHttp, OutgoingResponse } from '../../platform/ports.ts';
import type { UrlRules } from './url-rules.ts';

export interface Fetched {
  /** Where it was in the end. */
  readonly url: string;
  /** With its parameters, in lower case. */
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}
export interface FetchWish {
  /** Of the Accept header. */
  readonly accept: string;
  readonly language: string | undefined;
  /** How many bytes are wanted of what has this type; 0: nothing. Images that are longer than `limits.previewImageBytesMax` are refused. */
  readonly bytesWanted: (type: string) => number;
}

interface FetcherDependencies {
  readonly http: OutgoingHttp;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly rules: UrlRules;
  readonly userAgent: string;
}

/** Gets what is at a URL on somebody's behalf: every step of the way is checked as the first one is. */
export class PageFetcher {
  readonly #ctx: FetcherDependencies;

  constructor(ctx: FetcherDependencies) {
    this.#ctx = ctx;
  }

  /**
   * `url`: absolute, http or https. Follows redirects. Throws M_FORBIDDEN for what may not be asked for, M_NOT_FOUND where there is
   * nothing (any more), 502 M_UNKNOWN for every other failure.
   */
  async fetch(url: string, wish: FetchWish): Promise<Fetched> {
    const deadlineMs = this.#ctx.clock.monotonicMs() + limits.previewTimeoutMs;
    let at = url;
    for (let step = 0; step <= limits.previewRedirectsMax; step++) {
      const response = await this.#request(at, wish, deadlineMs);
      if (!redirects.has(response.status)) return fetched(at, response);
      const target = URL.parse(response.headers['location'] ?? '', at);
      if (target === null || response.headers['location'] === undefined) throw unusable('a redirect to nowhere');
      target.hash = '';
      at = target.href;
    }
    throw unusable('too many redirects');
  }

  async #request(at: string, wish: FetchWish, deadlineMs: number): Promise<OutgoingResponse> {
    const { http, clock, rules, userAgent } = this.#ctx;
    const url = new URL(at);
    if (!/^https?:$/.test(url.protocol) || !rules.allows(url)) throw refused();
    try {
      return await http.request({
        method: 'GET',
        url: at,
        headers: {
          'User-Agent': userAgent,
          Accept: wish.accept,
          // Nothing is unpacked, so nothing can be packed to burst.
          'Accept-Encoding': 'identity',
          ...(wish.language === undefined ? {} : { 'Accept-Language': wish.language }),
        },
        timeoutMs: Math.max(1, deadlineMs - clock.monotonicMs()),
        idleTimeoutMs: limits.previewIdleMs,
        responseBytesMax: limits.previewImageBytesMax,
        bodyBytesWanted: ({ status, headers }) =>
          status === 200 && isPlain(headers) ? wish.bytesWanted(typeOf(headers['content-type'] ?? '')) : 0,
      });
    } catch (error) {
      if (!(error instanceof OutgoingHttpError)) throw error;
      // Of a name it is not told whether it leads into this network or nowhere.
      const isLiteral = /^(\[|\d+\.\d+\.\d+\.\d+$)/.test(url.hostname);
      if (error.failure === 'bad_request' || (error.failure === 'refused_address' && isLiteral)) throw refused();
      throw unusable(error.failure === 'too_large' ? 'it is too large' : 'it cannot be reached');
    }
  }
}

/** "Text/HTML; charset=x" → "text/html" */
export const typeOf = (contentType: string): string => (contentType.split(';')[0] ?? '').trim().toLowerCase();

function fetched(url: string, { status, headers, body }: OutgoingResponse): Fetched {
  if (status === 404 || status === 410) throw notFound('There is nothing at this URL');
  if (status !== 200) throw unusable(`it answers with status ${status}`);
  return { url, contentType: (headers['content-type'] ?? '').toLowerCase(), headers, body };
}

const isPlain = (headers: Readonly<Record<string, string>>): boolean =>
  ['', 'identity'].includes((headers['content-encoding'] ?? '').trim().toLowerCase());
const refused = (): MatrixError => forbidden('This URL is not previewed');
const unusable = (reason: string): MatrixError =>
  new MatrixError(502, 'M_UNKNOWN', `There is no preview of this URL: ${reason}`);
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
