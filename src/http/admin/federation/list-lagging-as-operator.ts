import type { Accounts } from '../../../accounts/index.ts';
import type { DestinationAdministration } from '../../../federation/send/administration.ts';
import type { ServerName } from '../../../matrix/ids/ids.ts';
import { boolean, integer, object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { detailsReply } from './describe-destination.ts';

const pageMax = 30;

/** POST /_veche/admin/v1/operator/destinations: `npm run destinations`, signed like a registration. A page of servers, those with trouble or all. */
export const listLaggingAsOperator = defineEndpoint({
  operationId: 'listLaggingAsOperator',
  method: 'POST',
  path: '/_veche/admin/v1/operator/destinations',
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: {},
  body: object({ nonce: string(), mac: string(), from: integer({ min: 0 }), all: boolean() }),
  async handle(
    { body: { nonce, mac, from, all } },
    { accounts, destinations }: { accounts: Pick<Accounts, 'operator'>; destinations: DestinationAdministration },
  ) {
    accounts.operator.verifyOrder({ nonce, mac, order: '/destinations', subjects: [String(from), String(all)] });
    const page = { from, limit: pageMax, direction: 'f', order: 'destination' } as const;
    const { rows, total, next } = await destinations.list(page);
    const described = await Promise.all(rows.map(({ destination }) => destinations.details(destination as ServerName)));
    const shown = described.filter(
      ({ eventsBehind, edusWaiting, failures }) => all || eventsBehind + edusWaiting + failures > 0,
    );
    return { json: { destinations: shown.map(detailsReply), total, ...(next === undefined ? {} : { next }) } };
  },
});
