import type { Requester } from '../../../accounts/requester.ts';
import type { ResumableUploads } from '../../../media/resumable/resumable-uploads.ts';
import type { RawReply, StreamedBody } from '../../endpoint.ts';

/** A request of the tus protocol. */
export interface TusCall {
  readonly method: 'POST' | 'HEAD' | 'PATCH' | 'DELETE';
  /** undefined: a new upload is asked for. */
  readonly token: string | undefined;
  readonly requester: Requester | undefined;
  readonly body: StreamedBody | undefined;
  header(name: string): string | undefined;
}

/** Answers by @tus/server, which is loaded when somebody needs it. https://tus.io/protocols/resumable-upload */
export async function answerTus(call: TusCall, uploads: ResumableUploads): Promise<RawReply> {
  const { TusExchange } = await import('./tus-exchange.ts');
  return await new TusExchange(call, uploads).answer();
}
