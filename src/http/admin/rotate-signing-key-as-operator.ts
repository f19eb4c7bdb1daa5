import type { Accounts } from '../../accounts/index.ts';
import type { OwnKeyRotation } from '../../federation/keys/own-key-rotation.ts';
import { object, string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';

/** POST /_veche/admin/v1/operator/rotate_signing_key: `npm run rotate-signing-key` while the server runs, signed like a registration. */
export const rotateSigningKeyAsOperator = defineEndpoint({
  operationId: 'rotateSigningKeyAsOperator',
  method: 'POST',
  path: '/_veche/admin/v1/operator/rotate_signing_key',
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: {},
  body: object({ nonce: string(), mac: string() }),
  async handle(
    { body },
    { accounts, ownKeys }: { accounts: Pick<Accounts, 'operator'>; ownKeys: Pick<OwnKeyRotation, 'rotate'> },
  ) {
    const { nonce, mac } = body;
    accounts.operator.verifyOrder({ nonce, mac, order: '/rotate_signing_key', subjects: [] });
    const { keyId, oldKeyId } = await ownKeys.rotate();
    return { json: { key_id: keyId, old_key_id: oldKeyId } };
  },
});
