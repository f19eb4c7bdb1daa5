/** Everything that is served, area by area. spec/conformance/ compares it with the specification. */
import { roomEndpoints } from './client/rooms/index.ts';
import { versionsEndpoints } from './client/versions/index.ts';
import type { Endpoint } from './endpoint.ts';
import { federationEndpoints } from './federation/index.ts';
import { healthEndpoints } from './health/index.ts';
import { keysEndpoints } from './keys/index.ts';
import { metricsEndpoints } from './metrics/index.ts';
import { pageEndpoints } from './pages/index.ts';
import { wellKnownEndpoints } from './well-known/index.ts';

const areas = [
  ...roomEndpoints,
  ...versionsEndpoints,
  ...federationEndpoints,
  ...healthEndpoints,
  ...keysEndpoints,
  ...metricsEndpoints,
  ...pageEndpoints,
  ...wellKnownEndpoints,
] as const;

/** What all handlers together need: the intersection of what each of them takes. */
export type HttpDomain = DomainOfAll<(typeof areas)[number]>;
type DomainOfAll<One> = (One extends Endpoint<infer Domain> ? (domain: Domain) => void : never) extends (
  domain: infer All,
) => void
  ? All
  : never;

export const allEndpoints: readonly Endpoint<HttpDomain>[] = areas;
