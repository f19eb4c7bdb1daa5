/** Users of other servers, which cannot be asked for keys yet. */
import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import type { LocalServers } from '../platform/local-servers.ts';

export interface ByServer<Wish> {
  readonly local: readonly Wish[];
  /** Names of the other users' servers. */
  readonly remote: readonly ServerName[];
}

/** What is wished of users, each with the user's id first. */
export function splitByServer<Wish extends readonly [UserId, unknown]>(
  { localServers }: { readonly localServers: LocalServers },
  wanted: readonly Wish[],
): ByServer<Wish> {
  const local: Wish[] = [];
  const remote = new Set<ServerName>();
  for (const wish of wanted) {
    const [userId] = wish;
    const server = userId.slice(userId.indexOf(':') + 1) as ServerName;
    if (localServers.isLocal(server)) local.push(wish);
    else remote.add(server);
  }
  return { local, remote: [...remote] };
}

/** JSON text of `failures`: the servers that could not be reached. */
export function failuresText(servers: readonly ServerName[]): string {
  const failures = servers.map((server) => [server, { errcode: 'M_UNKNOWN', error: 'The server cannot be reached' }]);
  return JSON.stringify(Object.fromEntries(failures));
}
