/** How model clients reach sliding sync: directly, or through a listener and the endpoints of both shapes. */
import { MatrixError } from '../../../../src/matrix/errors.ts';
import { slidingSyncUnstable } from '../../../../src/http/client/sync/sliding-sync-unstable.ts';
import { slidingSync } from '../../../../src/http/client/sync/sliding-sync.ts';
import type { SlidingRequest } from '../../../../src/sync/sliding/sliding-request.ts';
import type { TestRooms } from '../../../support/test-rooms.ts';
import { startTestServer } from '../../../support/test-server.ts';
import { type SlidingAnswer, SlidingClient } from '../support/sliding-client.ts';
import type { SlidingModel } from './sliding-model.ts';
import { type Rules, bodyOf, coreOf } from './sliding-rules.ts';

/** undefined: the position is not known, or no longer. */
export type Asker = (model: SlidingModel, rules: Rules, pos: string | undefined) => Promise<SlidingAnswer | undefined>;

/** `current`: the server as it is now, after restarts. */
export function directly(current: () => TestRooms): Asker {
  return async ({ user, shape, connId }, rules, pos) => {
    const request: SlidingRequest = {
      ...coreOf(rules),
      requester: user,
      shape,
      connId,
      pos,
      timeoutMs: 0,
      setPresence: 'offline',
      signal: new AbortController().signal,
    };
    try {
      return JSON.parse(await current().sync.sliding(request)) as SlidingAnswer;
    } catch (error) {
      if (error instanceof MatrixError && error.errcode === 'M_UNKNOWN_POS') return undefined;
      throw error;
    }
  };
}

export async function overHttp(
  current: () => TestRooms,
  models: readonly SlidingModel[],
): Promise<{ readonly ask: Asker; close(): Promise<void> }> {
  const whoHas = new Map(models.map((model) => [model.connId, model]));
  const server = await startTestServer({
    endpoints: [slidingSync, slidingSyncUnstable],
    domain: { sync: { sliding: (request) => current().sync.sliding(request) } },
    auth: {
      async authenticate(token) {
        const model = whoHas.get(token);
        if (model === undefined) throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'Unknown access token');
        const { userId, userNid, deviceNid } = model.user;
        const rights = { isAdmin: false, isGuest: false, isSuspended: false };
        return { userId, userNid, deviceNid, deviceId: token, ...rights, tokenHash: Buffer.alloc(32) };
      },
      isCurrent: () => false,
    },
  });
  return {
    async ask({ connId, shape }, rules, pos) {
      const client = new SlidingClient(server, { token: connId }, shape);
      const { status, json, text } = await client.ask(bodyOf(rules, shape, connId), { pos });
      if (status === 400 && json['errcode'] === 'M_UNKNOWN_POS') return undefined;
      if (status !== 200) throw new Error(`the request was answered with ${status}: ${text}`);
      return JSON.parse(text) as SlidingAnswer;
    },
    close: () => server.close(),
  };
}
