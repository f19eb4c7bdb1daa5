/** What scanners said of contents, and contents that are in quarantine wherever they come from. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // subject: the content, or for an encrypted file a hash of it and its key; content: whose bytes were read; finding NULL: nothing;
    // version: of the scanner and its signatures; accepted_by: the administrator who wants it served all the same
    `CREATE TABLE scan_verdict (subject BLOB PRIMARY KEY, content BLOB NOT NULL, finding TEXT, scanner TEXT NOT NULL, version TEXT NOT NULL,
      scanned_ts INTEGER NOT NULL, accepted_by TEXT) WITHOUT ROWID`,
    `CREATE INDEX scan_verdict_by_content ON scan_verdict (content)`,
    `CREATE INDEX scan_verdict_findings ON scan_verdict (scanned_ts, subject) WHERE finding IS NOT NULL`,
    `CREATE TABLE quarantined_content (sha256 BLOB PRIMARY KEY, quarantined_by TEXT NOT NULL, created_ts INTEGER NOT NULL) WITHOUT ROWID`,
    `INSERT INTO quarantined_content (sha256, quarantined_by, created_ts)
      SELECT sha256, MIN(quarantined_by), MIN(created_ts) FROM media WHERE sha256 IS NOT NULL AND quarantined_by IS NOT NULL GROUP BY sha256`,
  ]);
}
