import type { StreamedResponse, StreamingHttp } from '../../platform/ports.ts';
import { OutgoingHttpError } from '../../platform/outgoing-http-error.ts';

/** There was nothing to be had where another server said that something is. */
export class RedirectFailed extends Error {
  override readonly name = 'RedirectFailed';
}

export interface FollowOptions {
  readonly userAgent: string;
  readonly signal: AbortSignal;
  readonly stepsMax: number;
  /** Of one step, to the headers of the response. */
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
}

/**
 * What is at a place that another server names, and where that redirects to: https only, nothing that is not public (the policy of
 * requests that are not to other servers), without credentials. Throws RedirectFailed, of which nobody can tell what is in this network.
 */
export async function followRedirects(
  http: StreamingHttp,
  location: string | undefined,
  { userAgent, signal, stepsMax, timeoutMs, idleTimeoutMs }: FollowOptions,
): Promise<StreamedResponse> {
  let at = usable(location, undefined);
  for (let step = 0; step < stepsMax; step++) {
    const headers = { 'User-Agent': userAgent, 'Accept-Encoding': 'identity' };
    const request = { method: 'GET', url: at, headers, timeoutMs, idleTimeoutMs, purpose: 'general', signal } as const;
    const response = await http.stream(request).catch((error: unknown) => {
      if (!(error instanceof OutgoingHttpError)) throw error;
      throw new RedirectFailed('it says that the file is elsewhere, and there is no answer', { cause: error });
    });
    if (response.status === 200) return response;
    response.body.destroy();
    if (!redirects.has(response.status))
      throw new RedirectFailed('it says that the file is elsewhere, and there is an error');
    at = usable(response.headers['location'], at);
  }
  throw new RedirectFailed('it says that the file is elsewhere, and from there on and on');
}

/** Whether the end of a body can be told from a connection that was cut. */
export const isFramed = (headers: Readonly<Record<string, string>>): boolean =>
  headers['content-length'] !== undefined || /\bchunked$/i.test(headers['transfer-encoding'] ?? '');

function usable(location: string | undefined, base: string | undefined): string {
  const url = location === undefined ? null : URL.parse(location, base);
  if (url?.protocol !== 'https:') throw new RedirectFailed('it says that the file is elsewhere, and not where');
  url.hash = '';
  return url.href;
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
