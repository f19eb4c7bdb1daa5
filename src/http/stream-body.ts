import type { StreamedBody } from './endpoint.ts';
import { ClientGone, type Exchange } from './exchange.ts';
import { clearTransferIdle, limitTransferIdle } from './listener-idle.ts';
import { assertNotCompressed, hasBody, inviteBody } from './read-body.ts';

/**
 * The request's body for a handler that reads it while it comes. There is no limit on how long that takes, only on how long
 * nothing comes.
 */
export function streamBody(exchange: Exchange, transferIdleMs: number): StreamedBody {
  const length = exchange.request.headers['content-length'];
  exchange.isTransfer = true;
  return {
    lengthBytes: length !== undefined ? Number(length) : hasBody(exchange) ? undefined : 0,
    chunks: () => chunksOf(exchange, transferIdleMs),
    cut: () => void exchange.request.destroy(),
    inform: (status, headers) => inform(exchange, status, headers),
  };
}

function inform({ request, response }: Exchange, status: number, headers: Readonly<Record<string, string>>): void {
  const isOld = request.httpVersionMajor === 1 && request.httpVersionMinor === 0;
  if (isOld || response.destroyed || response.headersSent) return;
  response.writeInformation(status, { ...headers });
}

async function* chunksOf(exchange: Exchange, transferIdleMs: number): AsyncGenerator<Buffer, void> {
  const { request } = exchange;
  assertNotCompressed(exchange, 'M_UNKNOWN');
  if (!hasBody(exchange)) return;
  inviteBody(exchange);
  limitTransferIdle(request.socket, transferIdleMs);
  // A late error of the stream, after the reader has stopped, would be thrown without a listener.
  request.on('error', () => undefined);
  const chunks: AsyncIterator<Buffer, undefined> = request.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await chunks.next().catch(() => {
        throw new ClientGone();
      });
      if (next.done === true) break;
      yield next.value;
    }
    if (!request.complete) throw new ClientGone();
  } finally {
    await chunks.return?.();
    clearTransferIdle(request.socket);
  }
}
