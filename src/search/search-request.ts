/** What `POST /search` asks for. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3search */
import type { RoomEventFilter } from '../matrix/filters/event-filter.ts';
import { invalidParam } from '../matrix/errors.ts';
import type { SearchKey } from './indexed-event.ts';

export type SearchOrder = 'recent' | 'rank';
export type GroupKey = 'room_id' | 'sender';

export interface EventSearch {
  readonly term: string;
  readonly keys: readonly SearchKey[];
  readonly filter: RoomEventFilter | undefined;
  readonly orderBy: SearchOrder;
  readonly context: SearchContext | undefined;
  readonly includeState: boolean;
  readonly groupBy: readonly GroupKey[];
  readonly nextBatch: string | undefined;
}
export interface SearchContext {
  readonly beforeLimit: number;
  readonly afterLimit: number;
  readonly includeProfile: boolean;
}

/** A place among the results: behind an event, among all of them or within one group. */
export interface SearchPlace {
  readonly order: SearchOrder;
  readonly nid: number;
  readonly rank: number;
  /** Of results by rank: nothing newer is among them, so that what is said meanwhile moves nothing. */
  readonly newest: number;
  /** What the first page told. */
  readonly count: number;
  readonly group: { readonly key: GroupKey; readonly nid: number } | undefined;
}

export function formatSearchToken({ order, nid, rank, newest, count, group }: SearchPlace): string {
  const fields = [order, nid, rank, newest, count, ...(group === undefined ? [] : [group.key, group.nid])];
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** Throws M_INVALID_PARAM for what is no token of such a request. */
export function parseSearchToken(token: string, orderBy: SearchOrder): SearchPlace {
  const [order, nid, rank, newest, count, key, group, ...more] = fieldsOf(token);
  const isGroup = key === 'room_id' || key === 'sender';
  if (
    order !== orderBy ||
    !isNumber(nid) ||
    !isNumber(rank) ||
    !isNumber(newest) ||
    !isNumber(count) ||
    more.length > 0 ||
    (isGroup ? !isNumber(group) : key !== undefined)
  )
    throw invalidParam('next_batch is not a token of this search');
  return {
    order: orderBy,
    nid,
    rank,
    newest,
    count,
    group: isGroup && isNumber(group) ? { key, nid: group } : undefined,
  };
}

function fieldsOf(token: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    return Array.isArray(value) ? (value as unknown[]) : [];
  } catch {
    return [];
  }
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
