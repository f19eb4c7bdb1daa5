/** HTTP over everything that there is. */
import packageFile from '../../package.json' with { type: 'json' };
import type { Accounts } from '../accounts/index.ts';
import type { Encryption } from '../encryption/index.ts';
import type { Federation } from '../federation/index.ts';
import type { RoomsFederation } from '../federation/rooms-federation.ts';
import { allEndpoints, type HttpDomain } from '../http/all-endpoints.ts';
import { unstableFeatures } from '../http/client/versions/unstable-features.ts';
import { readListenerOptions } from '../http/listener-options.ts';
import type { Listeners, startListeners } from '../http/listeners.ts';
import { startPageSettings } from '../http/pages/start-page-domain.ts';
import type { RateLimiter } from '../http/rate-limiter.ts';
import { requestMetrics } from '../http/request-metrics.ts';
import { optionsHeaders } from '../http/client/resumable-upload/options-headers.ts';
import { createApp } from '../http/router.ts';
import { servedOperations } from '../http/served-operations.ts';
import { wellKnownSettings } from '../http/well-known/well-known-settings.ts';
import { declaredVersions } from '../matrix/versions/declared-versions.ts';
import type { Config } from '../platform/config/config.ts';
import type { ConfigReload } from '../platform/config/config-reload.ts';
import type { Media } from '../media/index.ts';
import { limits } from '../platform/limits.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import type { Logger } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { ServerNotices } from '../notices/server-notices.ts';
import type { Ports } from '../platform/ports.ts';
import { readTermsTexts } from '../platform/terms-texts.ts';
import type { Presence } from '../presence/index.ts';
import type { Push } from '../push/index.ts';
import type { DelayedEvents } from '../rooms/delayed-events/delayed-events.ts';
import type { Rooms } from '../rooms/index.ts';
import type { Rtc } from '../rtc/index.ts';
import type { Search } from '../search/index.ts';
import type { Sync } from '../sync/index.ts';

/** Everything that endpoints work with. */
export interface Parts extends RoomsFederation {
  readonly config: Config;
  readonly configReload: ConfigReload;
  readonly federation: Federation;
  readonly accounts: Accounts;
  readonly rooms: Rooms;
  readonly delayedEvents: DelayedEvents;
  readonly presence: Presence;
  readonly notices: ServerNotices;
  readonly media: Media;
  readonly encryption: Encryption;
  readonly push: Push;
  readonly rtc: Rtc;
  readonly search: Search;
  readonly sync: Sync;
  readonly localServers: LocalServers;
  readonly metrics: Metrics;
  readonly ports: Ports;
  readonly rateLimiter: RateLimiter | undefined;
  findProblem(): Promise<string | undefined>;
}

/** Resolves when requests are answered. Rejects with a sentence for the operator when an address cannot be listened on. */
export async function listen(parts: Parts, log: Logger, start: typeof startListeners): Promise<Listeners> {
  const { config, accounts, federation, metrics, ports, rateLimiter } = parts;
  const { clock, timers, random } = ports;
  const app = createApp({
    endpoints: allEndpoints,
    domain: httpDomain(parts),
    auth: accounts.accessTokens,
    servers: federation.requests,
    log,
    metrics: requestMetrics(metrics),
    limits: { ...limits, ...config.limits },
    clock,
    requestIdPrefix: random.bytes(4).toString('hex'),
    rateLimiter,
    optionsHeaders: optionsHeaders(parts.media),
  });
  return start(await readListenerOptions(config.listeners), app, { timers, log });
}

/** What all endpoints together need. */
function httpDomain(parts: Parts): HttpDomain {
  const { config, accounts, ports, rateLimiter, findProblem, ...others } = parts;
  const software = { name: packageFile.name, version: packageFile.version };
  return {
    ...others,
    accounts,
    filters: accounts,
    ports,
    clock: ports.clock,
    ownKeys: parts.federation.ownKeys,
    software,
    health: { findProblem },
    wellKnown: wellKnownSettings(config),
    versions: {
      specificationVersions: declaredVersions(servedOperations(allEndpoints)),
      unstableFeatures: unstableFeatures(allEndpoints),
    },
    termsTexts: readTermsTexts(config),
    emailPage: { serverName: config.serverName, redirectHosts: config.email.redirectHosts },
    startPage: {
      get settings() {
        return startPageSettings(parts.configReload.current);
      },
      accounts: accounts.startPage,
      rateLimiter,
      clock: ports.clock,
    },
  };
}
