import type { Endpoint } from '../../endpoint.ts';

/**
 * The experimental features that the endpoints serve, for `unstable_features` of /versions: each is named exactly when the
 * path that clients call after reading its name is served.
 */
export function unstableFeatures<Domain>(endpoints: readonly Endpoint<Domain>[]): Readonly<Record<string, boolean>> {
  const paths = new Set(endpoints.flatMap(({ path, alsoAt }) => [path, ...(alsoAt ?? [])]));
  return Object.fromEntries(
    Object.entries(pathOfFeature).flatMap(([feature, path]) => (paths.has(unstable + path) ? [[feature, true]] : [])),
  );
}

const unstable = '/_matrix/client/unstable/';
const pathOfFeature: Readonly<Record<string, string>> = {
  'uk.tcpip.msc4133': 'uk.tcpip.msc4133/profile/{userId}/{keyName}',
  'org.matrix.simplified_msc3575': 'org.matrix.simplified_msc3575/sync',
  'org.matrix.msc4140': 'org.matrix.msc4140/delayed_events/{delayId}/{action}',
  'uk.half-shot.msc2666.query_mutual_rooms': 'uk.half-shot.msc2666/user/mutual_rooms',
};
