/** Tokens that allow to register: table registration_token. The token itself is stored: administrators list and hand out tokens. */
import { defineRead, defineWrite } from '../query.ts';

export interface RegistrationTokenRow {
  readonly token: string;
  readonly uses_allowed: number | null;
  readonly completed: number;
  readonly expiry_ts: number | null;
}
const columns = ['token', 'uses_allowed', 'completed', 'expiry_ts'] as const;

export const registrationToken = defineRead<{ token: string }, RegistrationTokenRow>('registrationToken.find', (q, p) =>
  q.selectFrom('registration_token').select(columns).where('token', '=', p.token),
);

export const registrationTokens = defineRead<Record<never, never>, RegistrationTokenRow>('registrationToken.all', (q) =>
  q.selectFrom('registration_token').select(columns).orderBy('token'),
);

/** Fails with UniqueViolation when the token exists. */
export const insertRegistrationToken = defineWrite<{
  token: string;
  usesAllowed: number | null;
  expiryTs: number | null;
}>('registrationToken.insert', (q, p) =>
  q.insertInto('registration_token').values({
    token: p.token,
    uses_allowed: p.usesAllowed,
    pending: 0,
    completed: 0,
    expiry_ts: p.expiryTs,
  }),
);

export const updateRegistrationToken = defineWrite<{
  token: string;
  usesAllowed: number | null;
  expiryTs: number | null;
}>('registrationToken.update', (q, p) =>
  q
    .updateTable('registration_token')
    .set({ uses_allowed: p.usesAllowed, expiry_ts: p.expiryTs })
    .where('token', '=', p.token),
);

/** Run with `changes: 1` in the unit of the registration: no row changes when the token is used up or expired. */
export const useRegistrationToken = defineWrite<{ token: string; now: number }>('registrationToken.use', (q, p) =>
  q
    .updateTable('registration_token')
    .set((e) => ({ completed: e('completed', '+', 1) }))
    .where('token', '=', p.token)
    .where((e) => e.or([e('uses_allowed', 'is', null), e('completed', '<', e.ref('uses_allowed'))]))
    .where((e) => e.or([e('expiry_ts', 'is', null), e('expiry_ts', '>', p.now)])),
);

export const deleteRegistrationToken = defineWrite<{ token: string }>('registrationToken.delete', (q, p) =>
  q.deleteFrom('registration_token').where('token', '=', p.token),
);
