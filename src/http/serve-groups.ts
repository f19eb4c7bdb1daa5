/** What a listener may serve; the names are those of `listeners[].serve` in the configuration. */
export type ServeGroup = 'client' | 'media' | 'federation' | 'admin' | 'health' | 'metrics';

/**
 * The groups that a path belongs to; none for a path outside every group, which no listener serves.
 * Most specific first: authenticated media lies below /_matrix/client and belongs to `media` alone.
 */
export function serveGroupsOf(path: string): readonly ServeGroup[] {
  for (const [prefix, groups] of prefixes) if (isBelow(path, prefix)) return groups;
  return path === '/' ? client : none;
}

export function isServed(path: string, serves: ReadonlySet<ServeGroup>): boolean {
  for (const group of serveGroupsOf(path)) if (serves.has(group)) return true;
  return false;
}

const client: readonly ServeGroup[] = ['client'];
const none: readonly ServeGroup[] = [];

const prefixes: readonly (readonly [string, readonly ServeGroup[]])[] = [
  ['/_matrix/client/v1/media', ['media']],
  ['/_matrix/client', client],
  ['/_matrix/livekit', client],
  ['/_matrix/push', client],
  ['/_matrix/static', client],
  ['/_matrix/media', ['media']],
  ['/_matrix/media_proxy', ['media']],
  ['/_matrix/federation', ['federation']],
  ['/_matrix/key', ['federation']],
  ['/.well-known/matrix/server', ['client', 'federation']],
  ['/.well-known/matrix', client],
  ['/_synapse', ['admin']],
  ['/_veche', ['admin']],
  ['/health', ['health']],
  ['/metrics', ['metrics']],
];

const isBelow = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === slash);
const slash = 47;
