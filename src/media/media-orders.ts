/** What lists of files and of those who have them can be ordered by, as clients say it. */
import type { MediaOrder, StatisticsOrder } from '../storage/stores/media-administration-store.ts';

export type { MediaOrder, StatisticsOrder } from '../storage/stores/media-administration-store.ts';

export const mediaOrderNames = [
  'media_id',
  'upload_name',
  'created_ts',
  'last_access_ts',
  'media_length',
  'media_type',
  'quarantined_by',
  'safe_from_quarantine',
] as const satisfies readonly MediaOrder[];

export const statisticsOrderNames = [
  'user_id',
  'displayname',
  'media_length',
  'media_count',
] as const satisfies readonly StatisticsOrder[];
