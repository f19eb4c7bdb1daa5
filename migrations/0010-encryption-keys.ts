/** The public keys of devices and users. Table one_time_key is older. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // json: canonical, as uploaded, without `unsigned`
    `CREATE TABLE device_key (user_nid INTEGER NOT NULL, device_nid INTEGER NOT NULL, json TEXT NOT NULL,
      PRIMARY KEY (user_nid, device_nid)) WITHOUT ROWID`,
    // used: it was given out since it was uploaded
    `CREATE TABLE fallback_key (device_nid INTEGER NOT NULL, algorithm TEXT NOT NULL, key_id TEXT NOT NULL, json TEXT NOT NULL,
      used INTEGER NOT NULL, PRIMARY KEY (device_nid, algorithm)) WITHOUT ROWID`,
    // usage: master, self_signing or user_signing; key_id: ed25519:<the key in Base64>
    `CREATE TABLE cross_signing_key (user_nid INTEGER NOT NULL, usage TEXT NOT NULL, key_id TEXT NOT NULL, json TEXT NOT NULL,
      PRIMARY KEY (user_nid, usage)) WITHOUT ROWID`,
    // what was signed after it was uploaded: target is a device id, or the public key of a master key; pos: when
    `CREATE TABLE key_signature (user_nid INTEGER NOT NULL, target TEXT NOT NULL, signer_nid INTEGER NOT NULL, key_id TEXT NOT NULL,
      signature TEXT NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY (user_nid, target, signer_nid, key_id)) WITHOUT ROWID`,
    `CREATE INDEX key_signature_by_signer ON key_signature (signer_nid, pos) WHERE signer_nid <> user_nid`,
    // the last change of the keys that others see of a user: one row for each user who ever had some
    `CREATE TABLE device_change (user_nid INTEGER PRIMARY KEY, pos INTEGER NOT NULL)`,
    `CREATE INDEX device_change_by_pos ON device_change (pos)`,
  ]);
}
