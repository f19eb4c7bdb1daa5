import { limits } from '../../platform/limits.ts';
import { urisOfContent } from '../../storage/stores/quarantine-store.ts';
import { findings, findingsCount, type FindingRow } from '../../storage/stores/scan-store.ts';
import type { Listed, Page } from '../administration.ts';
import type { MediaContext } from '../context.ts';

/** Malware, and the files that have it: `limits.findingUrisMax` of them at most. */
export interface ListedFinding extends FindingRow {
  readonly files: readonly { readonly origin: string; readonly media_id: string; readonly user_id: string | null }[];
}

/** What was found in files that are still stored, the newest first. */
export async function listFindings(
  { db }: Pick<MediaContext, 'db'>,
  page: Pick<Page<never>, 'from' | 'limit'>,
): Promise<Listed<ListedFinding>> {
  const { from } = page;
  const limit = Math.min(page.limit, limits.administeredMediaMax);
  const total = (await db.one(findingsCount, {}))?.count ?? 0;
  const rows: ListedFinding[] = [];
  for (const row of await db.all(findings, { from, limit })) {
    const files = await db.all(urisOfContent, { sha256: row.content, limit: limits.findingUrisMax });
    rows.push({ ...row, files });
  }
  const end = from + rows.length;
  return { rows, total, next: rows.length > 0 && end < total ? end : undefined };
}
