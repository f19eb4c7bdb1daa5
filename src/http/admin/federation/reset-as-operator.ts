import type { Accounts } from '../../../accounts/index.ts';
import type { DestinationAdministration } from '../../../federation/send/administration.ts';
import { serverName } from '../../client/rooms/identifiers.ts';
import { object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

/** POST /_veche/admin/v1/operator/reset_destination: `npm run destinations -- --reset NAME`, signed like a registration. */
export const resetAsOperator = defineEndpoint({
  operationId: 'resetAsOperator',
  method: 'POST',
  path: '/_veche/admin/v1/operator/reset_destination',
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: {},
  body: object({ nonce: string(), mac: string(), destination: serverName() }),
  async handle(
    { body: { nonce, mac, destination } },
    { accounts, destinations }: { accounts: Pick<Accounts, 'operator'>; destinations: DestinationAdministration },
  ) {
    accounts.operator.verifyOrder({ nonce, mac, order: '/reset_destination', subjects: [destination] });
    await destinations.reset(destination);
    return { json: {} };
  },
});
