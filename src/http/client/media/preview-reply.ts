/** What both operations that tell of a URL have in common. */
import type { Requester } from '../../../accounts/requester.ts';
import type { Media } from '../../../media/index.ts';
import { limits } from '../../../platform/limits.ts';
import { optional, queryInteger, string } from '../../decode.ts';
import type { Reply } from '../../endpoint.ts';

export const previewQuery = {
  url: string({ maxBytes: 4 * limits.previewUrlCharactersMax }),
  ts: optional(queryInteger({ min: 0 })),
};

interface PreviewCall {
  readonly query: { readonly url: string; readonly ts: number | undefined };
  readonly requester: Pick<Requester, 'userId'>;
  header(name: string): string | undefined;
}

/** The language that pages are asked for is the client's. */
export async function previewReply(request: PreviewCall, media: Pick<Media, 'previewUrl'>): Promise<Reply> {
  const { query, requester } = request;
  const language = request.header('accept-language');
  return { json: await media.previewUrl({ ...query, language, userId: requester.userId }) };
}
