/** Users of other servers, which cannot be asked for keys yet. */
import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import type { LocalServers } from '../platform/local-servers.ts';

export interface UsersByServer {
  readonly local: readonly UserId[];
  /** Names of the other users' servers. */
  readonly remote: readonly ServerName[];
}

export function splitByServer(
  { localServers }: { readonly localServers: LocalServers },
  userIds: readonly UserId[],
): UsersByServer {
  const local: UserId[] = [];
  const remote = new Set<ServerName>();
  for (const userId of userIds) {
    const server = userId.slice(userId.indexOf(':') + 1) as ServerName;
    if (localServers.isLocal(server)) local.push(userId);
    else remote.add(server);
  }
  return { local, remote: [...remote] };
}

/** JSON text of `failures`: the servers that could not be reached. */
export function failuresText(servers: readonly ServerName[]): string {
  const failures = servers.map((server) => [server, { errcode: 'M_UNKNOWN', error: 'The server cannot be reached' }]);
  return JSON.stringify(Object.fromEntries(failures));
}
