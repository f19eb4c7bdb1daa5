import { pipeline } from 'node:stream/promises';
import { countTransferred } from '../platform/transfer-memory.ts';
import type { JsonPiecesReply } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import { limitTransferIdle } from './listener-idle.ts';
import type { SendOptions } from './send-reply.ts';
import type { SentContent } from './send-content.ts';

/**
 * Sends JSON that comes in pieces, no faster than it is taken. Rejects with what making the first piece throws; then nothing was
 * sent.
 */
export async function sendPieces(
  exchange: Exchange,
  { jsonPieces }: JsonPiecesReply,
  options: SendOptions,
): Promise<SentContent> {
  const { request, response } = exchange;
  exchange.isTransfer = true;
  const pieces = jsonPieces[Symbol.asyncIterator]();
  const first = await pieces.next();
  if (response.destroyed || response.headersSent || request.method === 'HEAD') {
    await pieces.return?.();
    if (request.method === 'HEAD') response.writeHead(200, headOf(options)).end();
    return { status: 200, sent: Promise.resolve() };
  }
  response.writeHead(200, headOf(options));
  limitTransferIdle(request.socket, options.limits.transferIdleMs);
  return { status: 200, sent: pipeline(counted(first, pieces), response) };
}

function headOf({ isClosing }: SendOptions): string[] {
  const head = ['Content-Type', 'application/json', 'Cache-Control', 'no-store'];
  return isClosing ? [...head, 'Connection', 'close'] : head;
}

async function* counted(first: IteratorResult<Buffer>, pieces: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  try {
    for (let next = first; next.done !== true; next = await pieces.next()) {
      countTransferred(next.value.length);
      yield next.value;
    }
  } finally {
    await pieces.return?.();
  }
}
