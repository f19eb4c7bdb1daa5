/** https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryprofile */
import type { UserId } from '../../matrix/ids/ids.ts';
import { serverNameOf } from '../../matrix/ids/user-id.ts';
import type { JsonObject, JsonValue } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import type { FederationClient } from '../contract.ts';
import { tryServers } from '../membership/try-servers.ts';
import { askForJson } from './ask-for-json.ts';

/** As accounts ask for them. */
export interface RemoteProfiles {
  load(userId: UserId, field: string | undefined): Promise<JsonObject>;
}

export function createRemoteProfiles(client: FederationClient): RemoteProfiles {
  const asked = new Map<string, Promise<JsonObject>>();
  return {
    load(userId, field) {
      // Whoever asks the same meanwhile gets the same answer: nobody needs an account to ask.
      const question = field === undefined ? userId : `${userId} ${field}`;
      const running = asked.get(question);
      if (running !== undefined) return running;
      const answer = ask(client, userId, field).finally(() => asked.delete(question));
      asked.set(question, answer);
      return answer;
    },
  };
}

async function ask(client: FederationClient, userId: UserId, field: string | undefined) {
  const answer = await tryServers([serverNameOf(userId)], (destination) =>
    askForJson(client, {
      destination,
      method: 'GET',
      path: '/_matrix/federation/v1/query/profile',
      query: { user_id: userId, field },
      responseBytesMax: limits.remoteProfileBytesMax,
    }),
  );
  return Object.fromEntries(Object.entries(answer).filter(([name, value]) => isUsable(name, value)));
}

/** Clients take these for strings. */
const textNames: ReadonlySet<string> = new Set(['displayname', 'avatar_url', 'm.tz']);
const isUsable = (name: string, value: JsonValue | undefined): boolean =>
  !textNames.has(name) || typeof value === 'string';
