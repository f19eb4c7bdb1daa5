/** Cross-signing keys of local users, and who signed what: cross_signing_key, key_signature. */
import { defineRead, defineWrite } from '../query.ts';

export interface CrossSigningKeyRow {
  readonly user_nid: number;
  readonly usage: string;
  readonly key_id: string;
  readonly json: string;
}
export const crossSigningKeys = defineRead<{ users: readonly number[] }, CrossSigningKeyRow>(
  'crossSigning.keysOf',
  (q, p) =>
    q
      .selectFrom('cross_signing_key')
      .select(['user_nid', 'usage', 'key_id', 'json'])
      .where('user_nid', 'in', p.list('users')),
);

export const setCrossSigningKey = defineWrite<{ user: number; usage: string; keyId: string; json: string }>(
  'crossSigning.setKey',
  (q, p) =>
    q
      .insertInto('cross_signing_key')
      .values({ user_nid: p.user, usage: p.usage, key_id: p.keyId, json: p.json })
      .onConflict((conflict) =>
        conflict
          .columns(['user_nid', 'usage'])
          .doUpdateSet((e) => ({ key_id: e.ref('excluded.key_id'), json: e.ref('excluded.json') })),
      ),
);

export const deleteCrossSigningKeys = defineWrite<{ user: number }>('crossSigning.deleteKeys', (q, p) =>
  q.deleteFrom('cross_signing_key').where('user_nid', '=', p.user),
);

export interface KeySignatureRow {
  readonly user_nid: number;
  readonly target: string;
  readonly key_id: string;
  readonly signature: string;
}
const signatureColumns = ['user_nid', 'target', 'key_id', 'signature'] as const;

/** Signatures of users' keys that they made themselves: everybody sees them. */
export const ownSignatures = defineRead<{ users: readonly number[] }, KeySignatureRow>('crossSigning.own', (q, p) =>
  q
    .selectFrom('key_signature')
    .select(signatureColumns)
    .where('user_nid', 'in', p.list('users'))
    .whereRef('signer_nid', '=', 'user_nid'),
);

/** What a user signed of others after a position: nobody else sees it. */
export const signaturesOfOthers = defineRead<{ signer: number; after: number }, KeySignatureRow>(
  'crossSigning.ofOthers',
  (q, p) =>
    q
      .selectFrom('key_signature')
      .select(signatureColumns)
      .where('signer_nid', '=', p.signer)
      .whereRef('signer_nid', '<>', 'user_nid')
      .where('pos', '>', p.after),
);

export const setKeySignature = defineWrite<{
  user: number;
  target: string;
  signer: number;
  keyId: string;
  signature: string;
  pos: number;
}>('crossSigning.setSignature', (q, p) =>
  q
    .insertInto('key_signature')
    .values({
      user_nid: p.user,
      target: p.target,
      signer_nid: p.signer,
      key_id: p.keyId,
      signature: p.signature,
      pos: p.pos,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['user_nid', 'target', 'signer_nid', 'key_id'])
        .doUpdateSet((e) => ({ signature: e.ref('excluded.signature'), pos: e.ref('excluded.pos') })),
    ),
);

/** Of devices that are no more or have other keys now, and of master keys that were replaced. */
export const deleteSignaturesOf = defineWrite<{ user: number; targets: readonly string[] }>(
  'crossSigning.deleteOf',
  (q, p) => q.deleteFrom('key_signature').where('user_nid', '=', p.user).where('target', 'in', p.list('targets')),
);
/** Those that a user made of their own keys, with keys that were replaced. */
export const deleteOwnSignaturesBy = defineWrite<{ user: number; keyIds: readonly string[] }>(
  'crossSigning.deleteOwnBy',
  (q, p) =>
    q
      .deleteFrom('key_signature')
      .where('user_nid', '=', p.user)
      .where('signer_nid', '=', p.user)
      .where('key_id', 'in', p.list('keyIds')),
);
/** Those that a user made of others, with any key. */
export const deleteSignaturesOfOthers = defineWrite<{ signer: number }>('crossSigning.deleteOfOthers', (q, p) =>
  q.deleteFrom('key_signature').where('signer_nid', '=', p.signer).whereRef('signer_nid', '<>', 'user_nid'),
);
export const deleteSignaturesOfUser = defineWrite<{ user: number }>('crossSigning.deleteOfUser', (q, p) =>
  q.deleteFrom('key_signature').where('user_nid', '=', p.user),
);
