/** https://spec.matrix.org/v1.19/server-server-api/#getwell-knownmatrixserver */
import { parseServerName, type ServerNameParts } from '../../matrix/ids/server-name.ts';
import { isJsonObject } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import { MatrixError } from '../../matrix/errors.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import { OutgoingHttpError } from '../../platform/outgoing-http-error.ts';
import type { Clock, OutgoingHttp, OutgoingResponse } from '../../platform/ports.ts';
import { freshMsOf } from './freshness.ts';

export interface WellKnownParts {
  readonly http: OutgoingHttp;
  readonly clock: Clock;
}

/** To which server names others delegate, as long as their files are fresh. Hosts are asked once however many wait. */
export class WellKnown {
  readonly #parts: WellKnownParts;
  readonly #known = new Lru<string, Known>({ sizeMax: limits.knownDestinationsMax });
  readonly #asking = new Map<string, Promise<Known>>();

  constructor(parts: WellKnownParts) {
    this.#parts = parts;
  }

  /** undefined: the host does not delegate, or its answer is none. Never rejects. */
  async find(host: string): Promise<ServerNameParts | undefined> {
    const known = this.#known.find(host);
    if (known !== undefined && known.untilMs > this.#parts.clock.nowMs()) return known.delegate;
    let asking = this.#asking.get(host);
    if (asking === undefined) {
      asking = this.#ask(host, known).finally(() => this.#asking.delete(host));
      this.#asking.set(host, asking);
    }
    return (await asking).delegate;
  }

  /** If the host could not be asked lately, it is asked again the next time. Gives what it is known to delegate to. */
  doubt(host: string): ServerNameParts | undefined {
    const known = this.#known.find(host);
    if (known?.isPassing === true) this.#known.set(host, { ...known, untilMs: 0 });
    return known?.delegate;
  }

  async #ask(host: string, before: Known | undefined): Promise<Known> {
    const answer = await this.#fetch(host);
    const nowMs = this.#parts.clock.nowMs();
    const known = answer.ok ? kept(answer, nowMs) : afterError(answer.isPassing, before, nowMs);
    this.#known.set(host, known);
    return known;
  }

  async #fetch(host: string): Promise<Answer> {
    const endMs = this.#parts.clock.monotonicMs() + limits.wellKnownTimeoutMs;
    let url = `https://${host}/.well-known/matrix/server`;
    try {
      for (let redirects = 0; redirects <= limits.wellKnownRedirectsMax; redirects++) {
        const timeoutMs = Math.max(1, endMs - this.#parts.clock.monotonicMs());
        const response = await this.#parts.http.request({
          method: 'GET',
          url,
          headers: { Accept: 'application/json' },
          timeoutMs,
          responseBytesMax: limits.wellKnownBytesMax,
          purpose: 'federation',
        });
        const next = redirectOf(response, url);
        if (next === undefined) return read(response);
        url = next;
      }
      return { ok: false, isPassing: false };
    } catch (error) {
      if (error instanceof OutgoingHttpError)
        return { ok: false, isPassing: error.failure !== 'too_large' && error.failure !== 'bad_request' };
      if (error instanceof MatrixError) return { ok: false, isPassing: false };
      throw error;
    }
  }
}

interface Known {
  readonly delegate: ServerNameParts | undefined;
  readonly untilMs: number;
  /** When there last was a valid file. */
  readonly validMs: number | undefined;
  /** Errors in a row. */
  readonly errors: number;
  /** Of the last one: the host may have a file. */
  readonly isPassing: boolean;
}
type Answer =
  | { readonly ok: true; readonly delegate: ServerNameParts; readonly headers: OutgoingResponse['headers'] }
  /** `isPassing`: the host is in trouble, and does not say that there is no such file. */
  | { readonly ok: false; readonly isPassing: boolean };

function read({ status, headers, body }: OutgoingResponse): Answer {
  if (status !== 200) return { ok: false, isPassing: status >= 500 || status === 429 };
  const value = parseJson(body);
  const server = isJsonObject(value) ? value['m.server'] : undefined;
  const delegate = typeof server === 'string' ? parseServerName(server) : undefined;
  return delegate === undefined ? { ok: false, isPassing: false } : { ok: true, delegate, headers };
}

/** Only to HTTPS; undefined: the response is none, or leads nowhere. */
function redirectOf({ status, headers }: OutgoingResponse, from: string): string | undefined {
  const location = status >= 300 && status < 400 ? headers['location'] : undefined;
  const url = location === undefined ? null : URL.parse(location, from);
  return url?.protocol === 'https:' ? url.href : undefined;
}

function kept({ delegate, headers }: Extract<Answer, { ok: true }>, nowMs: number): Known {
  const freshMs = freshMsOf(headers, nowMs) ?? limits.wellKnownFreshMs;
  const untilMs = nowMs + Math.min(limits.wellKnownFreshMsMax, Math.max(limits.wellKnownFreshMsMin, freshMs));
  return { delegate, untilMs, validMs: nowMs, errors: 0, isPassing: false };
}

/** What was valid lately holds while the host is in trouble. */
function afterError(isPassing: boolean, before: Known | undefined, nowMs: number): Known {
  const errors = (before?.errors ?? 0) + 1;
  const waitMs = Math.min(limits.wellKnownErrorMsMax, limits.wellKnownErrorMs * 2 ** Math.min(errors - 1, 20));
  const validMs = before?.validMs;
  const holds = isPassing && validMs !== undefined && nowMs - validMs < limits.wellKnownFreshMsMax;
  return {
    delegate: holds ? before?.delegate : undefined,
    untilMs: nowMs + waitMs,
    validMs: holds ? validMs : undefined,
    errors,
    isPassing,
  };
}
