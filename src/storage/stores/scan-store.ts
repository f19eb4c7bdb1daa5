/** What scanners said of contents: table scan_verdict. docs/decisions/0028-scanning.md */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite, isForPostgres } from '../query.ts';

export interface VerdictRow {
  /** The name of what was found; null: nothing. */
  readonly finding: string | null;
  /** Of the scanner and its signatures. */
  readonly version: string;
  /** Milliseconds since the Unix epoch. */
  readonly scanned_ts: number;
  /** The administrator who wants it served all the same. */
  readonly accepted_by: string | null;
}

/** `subject`: the content itself, or what stands for an encrypted file together with its key. */
export const verdictOn = defineRead<{ subject: Buffer }, VerdictRow>('scan.verdict', (q, p) =>
  q
    .selectFrom('scan_verdict')
    .select(['finding', 'version', 'scanned_ts', 'accepted_by'])
    .where('subject', '=', p.subject),
);

/** What was found in a content, by whatever key it was read, and nobody accepted. */
export const findingsIn = defineRead<{ content: Buffer }, { finding: string }>('scan.findings', (q, p) =>
  q
    .selectFrom('scan_verdict')
    .select((e) => e.ref('finding').$notNull().as('finding'))
    .where('content', '=', p.content)
    .where('finding', 'is not', null)
    .where('accepted_by', 'is', null)
    .orderBy('scanned_ts'),
);

/** In place of an earlier one. Of a content that was deleted meanwhile nothing is kept. */
export const putVerdict = defineWrite<{
  subject: Buffer;
  content: Buffer;
  finding: string | null;
  scanner: string;
  version: string;
  ts: number;
}>('scan.put', (q, p) =>
  q
    .insertInto('scan_verdict')
    .columns(['subject', 'content', 'finding', 'scanner', 'version', 'scanned_ts', 'accepted_by'])
    .expression(
      q
        .selectFrom('blob')
        .select([
          (isForPostgres(q) ? sql<Buffer>`cast(${p.subject} as bytea)` : sql<Buffer>`${p.subject}`).as('subject'),
          'sha256',
          sql<string | null>`cast(${p.finding} as text)`.as('finding'),
          sql<string>`cast(${p.scanner} as text)`.as('scanner'),
          sql<string>`cast(${p.version} as text)`.as('version'),
          bigint(p.ts).as('scanned_ts'),
          sql<null>`null`.as('accepted_by'),
        ])
        .where('sha256', '=', p.content),
    )
    .onConflict((conflict) =>
      conflict.column('subject').doUpdateSet((e) => ({
        finding: e.ref('excluded.finding'),
        scanner: e.ref('excluded.scanner'),
        version: e.ref('excluded.version'),
        scanned_ts: e.ref('excluded.scanned_ts'),
      })),
    ),
);

/** Of the verdicts on a content with a key that found nothing, all but the newest `kept`: anybody can make up keys. */
export const trimVerdicts = defineWrite<{ content: Buffer; kept: number }>('scan.trim', (q, p) =>
  q
    .deleteFrom('scan_verdict')
    .where('content', '=', p.content)
    .where('subject', '<>', p.content)
    .where('finding', 'is', null)
    .where('subject', 'not in', (e) =>
      e
        .selectFrom('scan_verdict as v')
        .select('v.subject')
        .where('v.content', '=', p.content)
        .where('v.subject', '<>', p.content)
        .where('v.finding', 'is', null)
        .orderBy('v.scanned_ts', 'desc')
        .orderBy('v.subject')
        .limit(bigint(p.kept)),
    ),
);

/** An administrator's word on whatever was found in a content. */
export const acceptFindings = defineWrite<{ content: Buffer; by: string }>('scan.accept', (q, p) =>
  q
    .updateTable('scan_verdict')
    .set({ accepted_by: p.by })
    .where('content', '=', p.content)
    .where('finding', 'is not', null),
);

/** With the content. */
export const forgetVerdicts = defineWrite<{ content: Buffer }>('scan.forget', (q, p) =>
  q.deleteFrom('scan_verdict').where('content', '=', p.content),
);

export interface FindingRow {
  readonly content: Buffer;
  readonly finding: string;
  readonly scanner: string;
  readonly version: string;
  readonly scanned_ts: number;
  readonly accepted_by: string | null;
  readonly bytes: number;
}

/** The newest first. */
export const findings = defineRead<{ from: number; limit: number }, FindingRow>('scan.allFindings', (q, p) =>
  q
    .selectFrom('scan_verdict as v')
    .innerJoin('blob as b', 'b.sha256', 'v.content')
    .select(['v.content', 'v.scanner', 'v.version', 'v.scanned_ts', 'v.accepted_by', 'b.bytes'])
    .select((e) => e.ref('v.finding').$notNull().as('finding'))
    .where('v.finding', 'is not', null)
    .orderBy('v.scanned_ts', 'desc')
    .orderBy('v.subject')
    .limit(bigint(p.limit))
    .offset(bigint(p.from)),
);

export const findingsCount = defineRead<Record<never, never>, { count: number }>('scan.findingsCount', (q) =>
  q
    .selectFrom('scan_verdict as v')
    .innerJoin('blob as b', 'b.sha256', 'v.content')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('v.finding', 'is not', null),
);
