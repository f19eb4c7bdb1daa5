/** Local accounts: table account. */
import { defineRead, defineWrite } from '../query.ts';

export interface AccountRow {
  readonly user_nid: number;
  readonly user_id: string;
  readonly localpart: string;
  readonly kind: string;
  readonly user_type: string | null;
  readonly password_hash: string | null;
  readonly admin: number;
  readonly created_ts: number;
  readonly deactivated_ts: number | null;
  readonly erased: number;
  readonly locked: number;
  readonly suspended: number;
  readonly shadow_banned: number;
}

const columns = [
  'account.user_nid',
  'user_name.user_id',
  'account.localpart',
  'account.kind',
  'account.user_type',
  'account.password_hash',
  'account.admin',
  'account.created_ts',
  'account.deactivated_ts',
  'account.erased',
  'account.locked',
  'account.suspended',
  'account.shadow_banned',
] as const;

export const accountOfUser = defineRead<{ user: number }, AccountRow>('account.ofUser', (q, p) =>
  q
    .selectFrom('account')
    .innerJoin('user_name', 'user_name.user_nid', 'account.user_nid')
    .select(columns)
    .where('account.user_nid', '=', p.user),
);

export const accountOfUserId = defineRead<{ userId: string }, AccountRow>('account.ofUserId', (q, p) =>
  q
    .selectFrom('account')
    .innerJoin('user_name', 'user_name.user_nid', 'account.user_nid')
    .select(columns)
    .where('user_name.user_id', '=', p.userId),
);

export const accountOfThreepid = defineRead<{ medium: string; addresses: readonly string[] }, AccountRow>(
  'account.ofThreepid',
  (q, p) =>
    q
      .selectFrom('threepid')
      .innerJoin('account', 'account.user_nid', 'threepid.user_nid')
      .innerJoin('user_name', 'user_name.user_nid', 'account.user_nid')
      .select(columns)
      .where('threepid.medium', '=', p.medium)
      .where('threepid.address', 'in', p.list('addresses'))
      .orderBy('threepid.address'),
);

/** Fails with UniqueViolation when the user has an account, deactivated ones included. */
export const insertAccount = defineWrite<{
  user: number;
  localpart: string;
  kind: string;
  userType: string | null;
  passwordHash: string | null;
  admin: number;
  createdTs: number;
}>('account.insert', (q, p) =>
  q.insertInto('account').values({
    user_nid: p.user,
    localpart: p.localpart,
    kind: p.kind,
    user_type: p.userType,
    password_hash: p.passwordHash,
    admin: p.admin,
    created_ts: p.createdTs,
    deactivated_ts: null,
    erased: 0,
    locked: 0,
    suspended: 0,
    shadow_banned: 0,
  }),
);

export const setPasswordHash = defineWrite<{ user: number; passwordHash: string | null }>(
  'account.setPasswordHash',
  (q, p) => q.updateTable('account').set({ password_hash: p.passwordHash }).where('user_nid', '=', p.user),
);

/**
 * Replaces a hash. Run with `changes: 1` where the old password was proven: no row changes when it is no longer the password.
 */
export const replacePasswordHash = defineWrite<{ user: number; was: string; passwordHash: string }>(
  'account.replacePasswordHash',
  (q, p) =>
    q
      .updateTable('account')
      .set({ password_hash: p.passwordHash })
      .where('user_nid', '=', p.user)
      .where('password_hash', '=', p.was),
);

/** Run with `changes: 1` in the unit of what a password allowed: no row changes when it was changed meanwhile. */
export const confirmPasswordHash = defineWrite<{ user: number; passwordHash: string }>(
  'account.confirmPasswordHash',
  (q, p) =>
    q
      .updateTable('account')
      .set({ password_hash: p.passwordHash })
      .where('user_nid', '=', p.user)
      .where('password_hash', '=', p.passwordHash),
);

export const setAdmin = defineWrite<{ user: number; admin: number }>('account.setAdmin', (q, p) =>
  q.updateTable('account').set({ admin: p.admin }).where('user_nid', '=', p.user),
);

export const setUserType = defineWrite<{ user: number; userType: string | null }>('account.setUserType', (q, p) =>
  q.updateTable('account').set({ user_type: p.userType }).where('user_nid', '=', p.user),
);

export const setLocked = defineWrite<{ user: number; locked: number }>('account.setLocked', (q, p) =>
  q.updateTable('account').set({ locked: p.locked }).where('user_nid', '=', p.user),
);

export const setSuspended = defineWrite<{ user: number; suspended: number }>('account.setSuspended', (q, p) =>
  q.updateTable('account').set({ suspended: p.suspended }).where('user_nid', '=', p.user),
);

/** `erased`: a position, or 0. It is set once: what was promised to be erased stays so. */
export const deactivateAccount = defineWrite<{ user: number; ts: number; erased: number }>(
  'account.deactivate',
  (q, p) =>
    q
      .updateTable('account')
      .set((e) => ({
        deactivated_ts: e.fn.coalesce('deactivated_ts', p.ts),
        password_hash: null,
        admin: 0,
        erased: e.case().when('erased', '>', 0).then(e.ref('erased')).else(p.erased).end(),
      }))
      .where('user_nid', '=', p.user),
);

export const reactivateAccount = defineWrite<{ user: number; passwordHash: string | null }>(
  'account.reactivate',
  (q, p) =>
    q
      .updateTable('account')
      .set({ deactivated_ts: null, erased: 0, password_hash: p.passwordHash })
      .where('user_nid', '=', p.user),
);

export const erasedAccounts = defineRead<Record<never, never>, { user_id: string; erased: number }>(
  'account.erased',
  (q) =>
    q
      .selectFrom('account')
      .innerJoin('user_name', 'user_name.user_nid', 'account.user_nid')
      .select(['user_name.user_id', 'account.erased'])
      .where('account.erased', '>', 0),
);

export const administratorCount = defineRead<Record<never, never>, { administrators: number }>(
  'account.administratorCount',
  (q) =>
    q
      .selectFrom('account')
      .select((e) => e.fn.countAll<number>().as('administrators'))
      .where('admin', '=', 1)
      .where('deactivated_ts', 'is', null),
);

/** Deactivated accounts that are still in rooms: what a crash during a deactivation leaves behind. */
export const deactivatedInRooms = defineRead<Record<never, never>, { user_id: string }>(
  'account.deactivatedInRooms',
  (q) =>
    q
      .selectFrom('account')
      .innerJoin('user_name', 'user_name.user_nid', 'account.user_nid')
      .select('user_name.user_id')
      .where('account.deactivated_ts', 'is not', null)
      .where((e) =>
        e.exists(
          e
            .selectFrom('user_room')
            .select('user_room.room')
            .whereRef('user_room.user_nid', '=', 'account.user_nid')
            .where('user_room.membership', 'in', ['join', 'invite', 'knock']),
        ),
      )
      .orderBy('account.user_nid'),
);
