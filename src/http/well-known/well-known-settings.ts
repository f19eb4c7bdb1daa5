import type { JsonObject } from '../../matrix/json/json-value.ts';
import type { Config } from '../../platform/config/config.ts';
import { rtcTransports } from '../../rtc/livekit-settings.ts';

/** What the well-known files say; undefined where nothing is configured. */
export interface WellKnownSettings {
  readonly homeserverBaseUrl: string;
  /** host:port at which other servers find us, where it is not the server name's own port 8448. */
  readonly federationDelegate: string | undefined;
  readonly support: Config['support'];
  readonly policyServerKeys: Readonly<Record<string, string>>;
  /** How calls of many can be carried. */
  readonly rtcFoci: readonly JsonObject[];
}
export interface WellKnownDomain {
  readonly wellKnown: WellKnownSettings;
}

/**
 * Other servers are sent to the public base URL when it is HTTPS and what listens behind it also serves federation.
 * Otherwise they use the server name's port 8448, which needs no well-known file.
 */
export function wellKnownSettings(
  config: Pick<Config, 'publicBaseUrl' | 'listeners' | 'support' | 'policyServer' | 'livekit'> & {
    readonly federation: Pick<Config['federation'], 'enabled'>;
  },
): WellKnownSettings {
  const { protocol, host, port } = new URL(config.publicBaseUrl);
  const isFederationBehindIt = config.listeners.some(
    ({ serve }) => serve.includes('client') && serve.includes('federation'),
  );
  const isDelegated = config.federation.enabled && protocol === 'https:' && isFederationBehindIt;
  return {
    homeserverBaseUrl: config.publicBaseUrl,
    federationDelegate: isDelegated ? (port === '' ? `${host}:443` : host) : undefined,
    support: config.support,
    policyServerKeys: config.policyServer.publicKeys,
    rtcFoci: rtcTransports(config),
  };
}
