/** https://spec.matrix.org/v1.19/server-server-api/#post_matrixpolicyv1sign */
import { MatrixError } from '../../matrix/errors.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { isJsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import type { Clock } from '../../platform/ports.ts';
import type { PolicyQuestion, PolicyServers } from '../../rooms/ports.ts';
import type { FederationClient } from '../contract.ts';
import { FederationError } from '../federation-error.ts';
import { passedOnError } from '../passed-on-error.ts';

interface Asked {
  readonly answer: Promise<string>;
  readonly untilMs: number;
}

/**
 * What was answered of an event counts for a while, so that it is asked for once however often the event comes. A server that cannot
 * be reached is not asked again for some seconds: all of a room would wait for it.
 */
export function createPolicyServers(client: FederationClient, clock: Clock): PolicyServers {
  const asked = new Lru<string, Asked>({ sizeMax: limits.policyAnswersKeptMax });
  const silentUntil = new Lru<ServerName, number>({ sizeMax: limits.policyAnswersKeptMax });
  const ask = async ({ server, origin, event }: PolicyQuestion): Promise<string> => {
    if ((silentUntil.find(server) ?? 0) > clock.nowMs()) throw unreachable(server);
    try {
      const answer = await client.request({
        destination: server,
        origin,
        method: 'POST',
        path: '/_matrix/policy/v1/sign',
        content: event.pdu,
        timeoutMs: limits.policyServerTimeoutMs,
        responseBytesMax: limits.policyServerBytesMax,
        isUrgent: true,
      });
      const own = Object.hasOwn(answer, server) ? answer[server] : undefined;
      const signature = isJsonObject(own) ? own['ed25519:policy_server'] : undefined;
      if (typeof signature === 'string') return signature;
      throw new FederationError(server, 'unusable', 'the answer has no signature');
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      if (error.failure !== 'answered') silentUntil.set(server, clock.nowMs() + limits.policyServerRetryMs);
      throw toldRefusal(error);
    }
  };
  return {
    sign(question) {
      const key = `${question.server} ${question.event.eventId}`;
      const known = asked.find(key);
      if (known !== undefined && known.untilMs > clock.nowMs()) return known.answer;
      const answer = ask(question);
      asked.set(key, { answer, untilMs: clock.nowMs() + limits.policyAnswerKeptMs });
      return answer;
    },
  };
}

/** Its own words, where it has some. */
function toldRefusal({ destination, failure, status = 0, errcode, said, message }: FederationError): MatrixError {
  if (failure === 'answered' && errcode !== undefined && status >= 400)
    return passedOnError({
      status,
      errcode,
      message: said ?? 'The policy server of the room does not let the event pass',
    });
  return failure === 'unreachable'
    ? unreachable(destination)
    : new MatrixError(502, 'M_UNKNOWN', `The policy server of the room could not be asked: ${message}`);
}

const unreachable = (server: ServerName): MatrixError =>
  new MatrixError(502, 'M_UNKNOWN', `The policy server of the room, ${server}, cannot be reached`);
