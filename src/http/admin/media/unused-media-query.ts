import { queryBoolean, queryInteger, withDefault } from '../../decode.ts';

/** What a deletion by date says. */
export const unusedMediaQuery = {
  before_ts: queryInteger({ min: 0 }),
  size_gt: withDefault(queryInteger({ min: 0 }), 0),
  keep_profiles: withDefault(queryBoolean(), true),
};

export const unusedMediaOf = (query: {
  readonly before_ts: number;
  readonly size_gt: number;
  readonly keep_profiles: boolean;
}): { readonly beforeTs: number; readonly sizeBytes: number; readonly keepsAvatars: boolean } => ({
  beforeTs: query.before_ts,
  sizeBytes: query.size_gt,
  keepsAvatars: query.keep_profiles,
});
