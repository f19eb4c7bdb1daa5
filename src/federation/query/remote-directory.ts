/** The published rooms of other servers. https://spec.matrix.org/v1.19/server-server-api/#published-room-directory */
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { invalidParam } from '../../matrix/errors.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import type { FederationClient } from '../contract.ts';
import { FederationError } from '../federation-error.ts';
import { tryServers } from '../membership/try-servers.ts';
import { askForJson } from './ask-for-json.ts';
import { remoteSummary } from './remote-summary.ts';

export interface RemoteDirectoryQuestion {
  /** Absent or 0: the default. */
  readonly limit?: number | undefined;
  readonly since?: string | undefined;
  /** As the client wrote it. */
  readonly filter?: JsonObject | undefined;
  readonly includeAllNetworks?: boolean;
  readonly thirdPartyInstanceId?: string | undefined;
}
export interface RemoteDirectory {
  /**
   * A page of the other server's directory. Throws M_NOT_FOUND when it cannot be reached, M_INVALID_PARAM for `since`, what else it refuses with, and 502 M_UNKNOWN when it
   * did not answer as it should.
   */
  publicRooms(server: ServerName, question: RemoteDirectoryQuestion): Promise<JsonObject>;
}

export function createRemoteDirectory(client: FederationClient): RemoteDirectory {
  return {
    publicRooms: (server, question) =>
      tryServers([server], async (destination) => {
        try {
          return await askFor(client, destination, question);
        } catch (error) {
          // The tokens are theirs.
          const isRefused = error instanceof FederationError && error.errcode === 'M_INVALID_PARAM';
          throw isRefused && question.since !== undefined ? invalidParam(error.message) : error;
        }
      }),
  };
}

async function askFor(
  client: FederationClient,
  destination: ServerName,
  question: RemoteDirectoryQuestion,
): Promise<JsonObject> {
  const limit = Math.min(question.limit || limits.publicRoomsDefault, limits.publicRoomsMax);
  const path = '/_matrix/federation/v1/publicRooms';
  const plain = {
    limit,
    ...(question.since === undefined ? {} : { since: question.since }),
    ...(question.includeAllNetworks === true ? { include_all_networks: true } : {}),
    ...(question.thirdPartyInstanceId === undefined ? {} : { third_party_instance_id: question.thirdPartyInstanceId }),
  };
  const { filter } = question;
  const answer = await askForJson(
    client,
    filter === undefined
      ? { destination, method: 'GET', path, query: plain }
      : { destination, method: 'POST', path, content: { ...plain, filter } },
  );
  return readPage(destination, answer, limit);
}

/** Rooms that are not described as they should be are left out. */
function readPage(destination: ServerName, answer: JsonObject, limit: number): JsonObject {
  const { chunk, next_batch: next, prev_batch: previous, total_room_count_estimate: total } = answer;
  if (!Array.isArray(chunk)) throw new FederationError(destination, 'unusable', 'the answer has no rooms');
  return {
    chunk: chunk.slice(0, limit).flatMap((room) => remoteSummary(room) ?? []),
    ...(typeof next === 'string' ? { next_batch: next } : {}),
    ...(typeof previous === 'string' ? { prev_batch: previous } : {}),
    ...(typeof total === 'number' ? { total_room_count_estimate: total } : {}),
  };
}
