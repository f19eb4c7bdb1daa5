/** Tokens for LiveKit: JSON Web Tokens signed with the API secret. https://docs.livekit.io/home/get-started/authentication/ */
import { hash, timingSafeEqual } from 'node:crypto';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { LivekitSettings } from './livekit-settings.ts';

type Keys = Pick<LivekitSettings, 'apiKey' | 'apiSecret'>;

/** With which somebody joins a room, speaks and hears there. */
export function joinToken(keys: Keys, room: string, identity: string, nowMs: number): Promise<string> {
  const grants = {
    roomJoin: true,
    roomCreate: false,
    canPublish: true,
    canSubscribe: true,
    canUpdateOwnMetadata: true,
  };
  return sign(keys, { ...grants, room }, { subject: identity, nowMs, forMs: limits.livekitTokenMs });
}

/** With which this server makes rooms and looks who is in one. */
export function serviceToken(keys: Keys, grants: JsonObject, nowMs: number): Promise<string> {
  return sign(keys, grants, { subject: undefined, nowMs, forMs: limits.livekitServiceTokenMs });
}

/** Whether LiveKit itself sent the body. `authorization`: the header. https://docs.livekit.io/home/server/webhooks/ */
export async function isFromLivekit(
  { apiKey, apiSecret }: Keys,
  authorization: string | undefined,
  body: string,
  nowMs: number,
): Promise<boolean> {
  const { jwtVerify } = await import('jose');
  const token = (authorization ?? '').replace(/^Bearer /, '');
  const claims = await jwtVerify(token, keyOf(apiSecret), {
    algorithms: ['HS256'],
    issuer: apiKey,
    currentDate: new Date(nowMs),
    clockTolerance: 60,
  }).then(
    ({ payload }) => payload,
    () => undefined,
  );
  // The tokens that members of calls have are signed with the same key, and have no such claim.
  const told = claims?.['sha256'];
  if (typeof told !== 'string') return false;
  const [given, expected] = [Buffer.from(told, 'base64'), hash('sha256', body, 'buffer')];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

interface Validity {
  readonly subject: string | undefined;
  readonly nowMs: number;
  readonly forMs: number;
}

async function sign(
  { apiKey, apiSecret }: Keys,
  video: JsonObject,
  { subject, nowMs, forMs }: Validity,
): Promise<string> {
  // Where no LiveKit is configured it is not loaded.
  const { SignJWT } = await import('jose');
  const token = new SignJWT({ video })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(apiKey)
    .setNotBefore(Math.floor(nowMs / 1000))
    .setExpirationTime(Math.floor((nowMs + forMs) / 1000));
  if (subject !== undefined) token.setSubject(subject);
  return token.sign(keyOf(apiSecret));
}

const keyOf = (secret: LivekitSettings['apiSecret']): Uint8Array => Buffer.from(secret.reveal(), 'utf8');
