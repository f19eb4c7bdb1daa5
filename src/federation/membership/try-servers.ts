import { MatrixError, notFound } from '../../matrix/errors.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import { FederationError } from '../federation-error.ts';
import { passedOnError } from '../passed-on-error.ts';

/**
 * What the first server that can brings, tried in order. One that says no may not know better, so others are asked, but not
 * many. Throws MatrixError: the refusal that says most, else 502 M_UNKNOWN.
 */
export async function tryServers<T>(
  servers: readonly ServerName[],
  attempt: (server: ServerName) => Promise<T>,
): Promise<T> {
  const failures: FederationError[] = [];
  for (const server of servers) {
    try {
      return await attempt(server);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      failures.push(error);
      if (failures.filter(isRefusal).length >= limits.joinRefusalsMax) break;
    }
  }
  const told = toldFailure(failures);
  // A room that no server could be asked for is as one that there is not.
  throw told.status === 502 && failures.every(isSilent) ? notFound(told.message) : told;
}

const isSilent = ({ failure }: FederationError): boolean => failure === 'unreachable' || failure === 'backing-off';

/** A failure as the client is told it. */
export function toldFailure(failures: readonly FederationError[]): MatrixError {
  const [telling] = failures.toSorted((one, other) => rank(other) - rank(one));
  if (telling === undefined) return new MatrixError(502, 'M_UNKNOWN', 'No server that may know the room is known');
  const { status = 0, errcode, message, roomVersion } = telling;
  const isPassedOn = errcode !== undefined && rank(telling) > 1;
  const extra = roomVersion === undefined ? {} : { room_version: roomVersion };
  if (isPassedOn) return passedOnError({ status, errcode, message, extra });
  if (failures.every(({ failure }) => failure === 'refused'))
    return new MatrixError(403, 'M_FORBIDDEN', `This server does not talk to the others: ${message}`);
  const all = failures.map((failure) => failure.message).join('; ');
  return new MatrixError(502, 'M_UNKNOWN', `No other server could help: ${all}`);
}

const isRefusal = ({ status }: FederationError): boolean => status === 403;

/** Which of several failures says most to a person. What our request lacked, or was wrong in, is not theirs to know. */
function rank({ failure, status, errcode }: FederationError): number {
  if (failure !== 'answered' || errcode === undefined || status === undefined) return failure === 'unusable' ? 1 : 0;
  if (errcode === 'M_MISSING_PARAM' || errcode === 'M_INVALID_PARAM' || errcode === 'M_UNRECOGNIZED') return 1;
  if (status === 403) return 5;
  if (errcode === 'M_INCOMPATIBLE_ROOM_VERSION') return 4;
  if (status === 400) return 3;
  return status === 404 ? 2 : 1;
}
