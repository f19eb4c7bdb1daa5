/** GET /_matrix/client/v3/sync — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync */
import type { Requester } from '../../../accounts/requester.ts';
import { invalidParam } from '../../../matrix/errors.ts';
import { type SyncFilter, parseSyncFilter } from '../../../matrix/filters/sync-filter.ts';
import { parseJson } from '../../../matrix/json/parse-json.ts';
import { limits } from '../../../platform/limits.ts';
import { parseStreamPosition } from '../../../rooms/pagination-token.ts';
import type { Sync } from '../../../sync/index.ts';
import type { StateField } from '../../../sync/sync-request.ts';
import { oneOf, optional, queryBoolean, queryInteger, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export interface SyncDomain {
  readonly sync: Pick<Sync, 'sync'>;
  readonly filters: {
    /** undefined: the user has no such filter. */
    findFilter(requester: Pick<Requester, 'userNid'>, filterId: string): Promise<SyncFilter | undefined>;
  };
}

export const sync = defineEndpoint({
  operationId: 'sync',
  method: 'GET',
  path: '/_matrix/client/v3/sync',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: {},
  query: {
    filter: optional(string()),
    since: optional(string()),
    full_state: withDefault(queryBoolean(), false),
    set_presence: withDefault(oneOf('offline', 'online', 'unavailable'), 'online'),
    timeout: withDefault(queryInteger({ min: 0 }), 0),
    use_state_after: withDefault(queryBoolean(), false),
    'org.matrix.msc4222.use_state_after': withDefault(queryBoolean(), false),
  },
  async handle(request, domain: SyncDomain) {
    const { query, requester } = request;
    const text = await domain.sync.sync({
      requester,
      ...(query.since === undefined || query.since === '' ? { since: undefined } : sinceOf(query.since)),
      fullState: query.full_state,
      stateField: stateFieldOf(query),
      setPresence: query.set_presence,
      filter: await filterOf(query.filter, requester, domain),
      timeoutMs: Math.min(query.timeout, limits.longPollMsMax),
      // Asking for the signal makes the request a long poll; one that does not wait is none.
      signal: query.timeout > 0 ? request.signal : neverAborted,
    });
    return { json: text };
  },
});

const neverAborted = new AbortController().signal;
const noFilter = parseSyncFilter({});

/** An id of a stored filter, or a filter as JSON. */
async function filterOf(text: string | undefined, requester: Requester, { filters }: SyncDomain): Promise<SyncFilter> {
  if (text === undefined || text === '') return noFilter;
  if (text.startsWith('{')) return parseSyncFilter(parseJson(text));
  const filter = await filters.findFilter(requester, text);
  if (filter === undefined) throw invalidParam('There is no such filter');
  return filter;
}

/** Clients that ask under both names read either. */
function stateFieldOf(query: {
  readonly use_state_after: boolean;
  readonly 'org.matrix.msc4222.use_state_after': boolean;
}): StateField {
  if (query.use_state_after) return 'state_after';
  return query['org.matrix.msc4222.use_state_after'] ? 'org.matrix.msc4222.state_after' : 'state';
}

function sinceOf(token: string): { readonly since: number; readonly toDeviceSince: number } {
  const position = parseStreamPosition(token);
  if (position === undefined) throw invalidParam('since is not a token of this server');
  return { since: position.pos, toDeviceSince: position.toDevicePos };
}
