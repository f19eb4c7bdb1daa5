import type { Endpoint } from '../../endpoint.ts';

/**
 * The experimental features that the endpoints serve, for `unstable_features` of /versions: each is named exactly when the
 * path that clients call after reading its name is served.
 */
export function unstableFeatures<Domain>(endpoints: readonly Endpoint<Domain>[]): Readonly<Record<string, boolean>> {
  const paths = new Set(endpoints.flatMap(({ path, alsoAt }) => [path, ...(alsoAt ?? [])]));
  return Object.fromEntries(
    Object.entries(pathOfFeature).flatMap(([feature, path]) => (paths.has(path) ? [[feature, true]] : [])),
  );
}

const stable = '/_matrix/client';
const unstable = '/_matrix/client/unstable';
/** Those that end in `.stable` say, while their version of the specification is not declared, that its own path is served. */
const pathOfFeature: Readonly<Record<string, string>> = {
  'org.matrix.msc2285.stable': `${stable}/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}`,
  'org.matrix.msc3266': `${stable}/v1/room_summary/{roomIdOrAlias}`,
  'org.matrix.msc3391': `${unstable}/org.matrix.msc3391/user/{userId}/account_data/{type}`,
  'org.matrix.msc3440.stable': `${stable}/v1/rooms/{roomId}/relations/{eventId}/{relType}`,
  'org.matrix.msc3715.stable': `${stable}/v1/rooms/{roomId}/relations/{eventId}`,
  'org.matrix.msc3814': `${unstable}/org.matrix.msc3814.v1/dehydrated_device`,
  'org.matrix.msc3856.stable': `${stable}/v1/rooms/{roomId}/threads`,
  'org.matrix.msc4140.stable': `${stable}/v1/delayed_events/{delayId}/{action}`,
  'org.matrix.msc4155': `${stable}/v3/user/{userId}/account_data/{type}`,
  'org.matrix.msc3874': `${stable}/v3/rooms/{roomId}/messages`,
  'org.matrix.msc4222': `${stable}/v3/sync`,
  'org.matrix.msc4354': `${stable}/v3/rooms/{roomId}/send/{eventType}/{txnId}`,
  'org.matrix.msc4143': `${unstable}/org.matrix.msc4143/rtc/transports`,
  'io.element.msc4195': `${unstable}/io.element.msc4195/rtc/livekit/get_token`,
  'org.matrix.msc4306': `${unstable}/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription`,
  'org.matrix.msc4308': `${unstable}/io.element.msc4308/thread_subscriptions`,
  'org.matrix.msc4380': `${stable}/v3/user/{userId}/account_data/{type}`,
  'org.matrix.msc4380.stable': `${stable}/v3/user/{userId}/account_data/{type}`,
  'org.matrix.msc3881': `${stable}/v3/pushers/set`,
  'uk.tcpip.msc4133': `${unstable}/uk.tcpip.msc4133/profile/{userId}/{keyName}`,
  'uk.tcpip.msc4133.stable': `${stable}/v3/profile/{userId}/{keyName}`,
  'org.veche.resumable': '/_matrix/media/unstable/org.veche.resumable/upload',
  'org.matrix.simplified_msc3575': `${unstable}/org.matrix.simplified_msc3575/sync`,
  'org.matrix.msc4140': `${unstable}/org.matrix.msc4140/delayed_events/{delayId}/{action}`,
  'uk.half-shot.msc2666.query_mutual_rooms': `${unstable}/uk.half-shot.msc2666/user/mutual_rooms`,
  'uk.half-shot.msc2666.query_mutual_rooms.stable': `${stable}/v1/mutual_rooms`,
};
