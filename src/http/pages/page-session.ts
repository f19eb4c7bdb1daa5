import { createHash, timingSafeEqual } from 'node:crypto';
import type { EndpointRequest } from '../endpoint.ts';

type PageRequest = Pick<EndpointRequest<unknown, unknown, unknown, unknown>, 'client' | 'header'>;

/**
 * The access token in the session cookie. The cookie is HttpOnly, so that no script reads it, and SameSite=Strict, so that it
 * never comes with a request that another site caused. The API takes no cookies.
 */
export function findSessionToken(request: PageRequest): string | undefined {
  const wanted = cookieName(request.client.origin);
  for (const pair of (request.header('cookie') ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === wanted) return decodeCookie(pair.slice(equals + 1).trim());
  }
  return undefined;
}

/** A Set-Cookie value that keeps the token until the browser is closed; without a token, one that removes it. */
export function sessionCookie(origin: string, accessToken: string | undefined): string {
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isSecure(origin) ? '; Secure' : ''}`;
  const name = cookieName(origin);
  return accessToken === undefined
    ? `${name}=; Max-Age=0; ${attributes}`
    : `${name}=${encodeURIComponent(accessToken)}; ${attributes}`;
}

/** What the forms of a session carry, and no other site can know. */
export function formToken(accessToken: string): string {
  return createHash('sha256').update('start page form\0').update(accessToken).digest('base64url');
}

export function isFormToken(given: string | undefined, accessToken: string): boolean {
  const expected = Buffer.from(formToken(accessToken));
  const actual = Buffer.from(given ?? '');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/**
 * Whether a form comes from a page of ours, by what browsers say of themselves (a page cannot forge it). Programs that say
 * nothing are not browsers, so nobody can misuse their session.
 */
export function isFromOurPage(request: PageRequest, publicBaseUrl: string): boolean {
  const site = request.header('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = request.header('origin');
  if (origin === undefined) return true;
  const host = hostOf(origin);
  return host !== undefined && (host === hostOf(request.client.origin) || host === hostOf(publicBaseUrl));
}

const isSecure = (origin: string): boolean => origin.startsWith('https:');
/** Browsers let nobody but the same host over HTTPS set a cookie with this prefix. */
const cookieName = (origin: string): string => (isSecure(origin) ? '__Host-veche_session' : 'veche_session');
const hostOf = (url: string): string | undefined => URL.parse(url)?.host;

function decodeCookie(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
