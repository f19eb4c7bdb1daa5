/** Refresh tokens: table refresh_token. https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens */
import { defineRead, defineWrite } from '../query.ts';

export interface RefreshTokenRow {
  readonly device_nid: number;
  readonly user_nid: number;
  readonly user_id: string;
  readonly device_id: string;
  /** Set when it was used: the refresh token that came of it. */
  readonly next_hash: Buffer | null;
  readonly locked: number;
  readonly deactivated_ts: number | null;
}

export const refreshToken = defineRead<{ hash: Buffer }, RefreshTokenRow>('refreshToken.find', (q, p) =>
  q
    .selectFrom('refresh_token')
    .innerJoin('device', 'device.device_nid', 'refresh_token.device_nid')
    .innerJoin('account', 'account.user_nid', 'refresh_token.user_nid')
    .innerJoin('user_name', 'user_name.user_nid', 'refresh_token.user_nid')
    .select([
      'refresh_token.device_nid',
      'refresh_token.user_nid',
      'user_name.user_id',
      'device.device_id',
      'refresh_token.next_hash',
      'account.locked',
      'account.deactivated_ts',
    ])
    .where('refresh_token.token_hash', '=', p.hash),
);

export const insertRefreshToken = defineWrite<{ hash: Buffer; device: number; user: number; createdTs: number }>(
  'refreshToken.insert',
  (q, p) =>
    q.insertInto('refresh_token').values({
      token_hash: p.hash,
      device_nid: p.device,
      user_nid: p.user,
      next_hash: null,
      created_ts: p.createdTs,
    }),
);

/** Run with `changes: 1`: a token that was revoked meanwhile gets no successor. */
export const setRefreshTokenSuccessor = defineWrite<{ hash: Buffer; nextHash: Buffer }>(
  'refreshToken.setSuccessor',
  (q, p) => q.updateTable('refresh_token').set({ next_hash: p.nextHash }).where('token_hash', '=', p.hash),
);

export const deleteRefreshToken = defineWrite<{ hash: Buffer }>('refreshToken.delete', (q, p) =>
  q.deleteFrom('refresh_token').where('token_hash', '=', p.hash),
);

/** The token whose successor is given. */
export const deleteRefreshTokenBefore = defineWrite<{ device: number; nextHash: Buffer }>(
  'refreshToken.deleteBefore',
  (q, p) => q.deleteFrom('refresh_token').where('device_nid', '=', p.device).where('next_hash', '=', p.nextHash),
);

export const deleteRefreshTokensOfDevices = defineWrite<{ devices: readonly number[] }>(
  'refreshToken.deleteOfDevices',
  (q, p) => q.deleteFrom('refresh_token').where('device_nid', 'in', p.list('devices')),
);
