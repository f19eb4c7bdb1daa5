import type { JsonObject } from '../../../matrix/json/json-value.ts';

/** Which files were deleted, in Synapse's shape. */
export const deletedMediaReply = (mediaIds: readonly string[]): JsonObject => ({
  deleted_media: [...mediaIds],
  total: mediaIds.length,
});
