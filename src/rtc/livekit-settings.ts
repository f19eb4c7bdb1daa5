import type { JsonObject } from '../matrix/json/json-value.ts';
import type { Config } from '../platform/config/config.ts';
import type { Secret } from '../platform/secret.ts';

/** The configured LiveKit, with everything that is needed to use it. */
export interface LivekitSettings {
  /** ws or wss, for clients. */
  readonly url: string;
  /** http or https, for us. */
  readonly apiUrl: string;
  readonly serviceUrl: string;
  readonly apiKey: string;
  readonly apiSecret: Secret;
}

/** Below the server's own address; the listener serves it as it serves clients. */
export const livekitServicePath = '/_matrix/livekit/jwt';

/** undefined: none is configured. */
export function livekitSettings(config: Pick<Config, 'livekit' | 'publicBaseUrl'>): LivekitSettings | undefined {
  const { url, apiKey, apiSecret, apiUrl, serviceUrl } = config.livekit;
  if (url === undefined || apiKey === undefined || apiSecret === undefined) return undefined;
  return {
    url,
    apiKey,
    apiSecret,
    apiUrl: apiUrl ?? url.replace(/^ws/, 'http'),
    serviceUrl: serviceUrl ?? config.publicBaseUrl + livekitServicePath,
  };
}

/**
 * How calls of many can be carried, the preferred way first; for `rtc/transports` (MSC4143, MSC4519) and, as `rtc_foci`, for
 * the well-known file.
 */
export function rtcTransports(config: Pick<Config, 'livekit' | 'publicBaseUrl'>): readonly JsonObject[] {
  const own = livekitSettings(config);
  return [
    ...(own === undefined ? [] : [{ type: 'livekit', livekit_service_url: own.serviceUrl, url: own.url }]),
    ...config.livekit.otherServices.map((serviceUrl) => ({ type: 'livekit', livekit_service_url: serviceUrl })),
  ];
}
