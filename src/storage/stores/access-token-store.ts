/** Access tokens with all that a request must know of its sender: table access_token. Only SHA-256 hashes of tokens are stored. */
import { defineRead, defineWrite } from '../query.ts';

export interface AccessTokenRow {
  readonly token_hash: Buffer;
  readonly user_nid: number;
  readonly user_id: string;
  readonly device_nid: number;
  readonly device_id: string;
  readonly expires_ts: number | null;
  readonly refresh_hash: Buffer | null;
  readonly kind: string;
  readonly admin: number;
  readonly locked: number;
  readonly suspended: number;
  readonly deactivated_ts: number | null;
  /** When the account expires. */
  readonly account_expires_ts: number | null;
}

export const accessToken = defineRead<{ hash: Buffer }, AccessTokenRow>('accessToken.find', (q, p) =>
  q
    .selectFrom('access_token')
    .innerJoin('device', 'device.device_nid', 'access_token.device_nid')
    .innerJoin('account', 'account.user_nid', 'access_token.user_nid')
    .innerJoin('user_name', 'user_name.user_nid', 'access_token.user_nid')
    .leftJoin('account_validity', 'account_validity.user_nid', 'access_token.user_nid')
    .select([
      'access_token.token_hash',
      'access_token.user_nid',
      'user_name.user_id',
      'access_token.device_nid',
      'device.device_id',
      'access_token.expires_ts',
      'access_token.refresh_hash',
      'account.kind',
      'account.admin',
      'account.locked',
      'account.suspended',
      'account.deactivated_ts',
      'account_validity.expires_ts as account_expires_ts',
    ])
    .where('access_token.token_hash', '=', p.hash),
);

export const insertAccessToken = defineWrite<{
  hash: Buffer;
  device: number;
  user: number;
  expiresTs: number | null;
  refreshHash: Buffer | null;
  createdTs: number;
}>('accessToken.insert', (q, p) =>
  q.insertInto('access_token').values({
    token_hash: p.hash,
    device_nid: p.device,
    user_nid: p.user,
    expires_ts: p.expiresTs,
    refresh_hash: p.refreshHash,
    created_ts: p.createdTs,
  }),
);

export const deleteAccessTokensOfDevices = defineWrite<{ devices: readonly number[] }>(
  'accessToken.deleteOfDevices',
  (q, p) => q.deleteFrom('access_token').where('device_nid', 'in', p.list('devices')),
);

export const deleteOtherAccessTokensOfDevice = defineWrite<{ device: number; hash: Buffer }>(
  'accessToken.deleteOthersOfDevice',
  (q, p) => q.deleteFrom('access_token').where('device_nid', '=', p.device).where('token_hash', '!=', p.hash),
);

/** Access tokens that were obtained by a refresh token and never used. */
export const deleteUnusedAccessTokens = defineWrite<{ device: number }>('accessToken.deleteUnused', (q, p) =>
  q.deleteFrom('access_token').where('device_nid', '=', p.device).where('refresh_hash', 'is not', null),
);

/** Run with `changes: 1`: it may have been superseded meanwhile. */
export const markAccessTokenUsed = defineWrite<{ hash: Buffer }>('accessToken.markUsed', (q, p) =>
  q.updateTable('access_token').set({ refresh_hash: null }).where('token_hash', '=', p.hash),
);
