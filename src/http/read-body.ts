import { MatrixError, tooLarge } from '../matrix/errors.ts';
import { ClientGone, type Exchange } from './exchange.ts';
import { clearTransferIdle, limitTransferIdle } from './listener-idle.ts';
import type { ReceivingBody } from './received-bytes.ts';

/**
 * The request's body. Throws M_TOO_LARGE (413) as soon as it is known to be longer than `bytesMax`, 415 for a compressed
 * body, 429 M_LIMIT_EXCEEDED when too much is being received, and ClientGone when the client disappears before its end.
 */
export async function readBody(
  exchange: Exchange,
  bytesMax: number,
  transferIdleMs: number,
  beginReceiving: () => ReceivingBody,
): Promise<Buffer> {
  const { request } = exchange;
  assertNotCompressed(exchange, 'M_NOT_JSON');
  if (!hasBody(exchange)) return empty;
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw bodyTooLarge(bytesMax);
  inviteBody(exchange);
  const isPartial = !isBodyHere(exchange);
  if (!isPartial && !request.destroyed) {
    const whole: unknown = request.read();
    if (Buffer.isBuffer(whole)) {
      if (whole.length > bytesMax) throw bodyTooLarge(bytesMax);
      return whole;
    }
  }
  if (isPartial) limitTransferIdle(request.socket, transferIdleMs);
  const receiving = beginReceiving();
  try {
    return await collect(exchange, bytesMax, receiving);
  } finally {
    receiving.end();
    if (isPartial) clearTransferIdle(request.socket);
  }
}

/** Throws 415 for a compressed body: it could be any size. */
export function assertNotCompressed({ request }: Exchange, errcode: 'M_NOT_JSON' | 'M_UNKNOWN'): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new MatrixError(415, errcode, 'Compressed request bodies are not accepted');
}

/** Tells a client that waits for it that its body is wanted. */
export function inviteBody(exchange: Exchange): void {
  if (!exchange.expectsContinue) return;
  exchange.expectsContinue = false;
  exchange.response.writeContinue();
}

/** Whether the request announces a body, read or not. */
export function hasBody({ request }: Exchange): boolean {
  if (request.headers['transfer-encoding'] !== undefined) return true;
  const length = request.headers['content-length'];
  return length !== undefined && length !== '0';
}

/**
 * Whether all of the body is in the stream's buffer. Small ones come with their headers; that the request is complete is only
 * said some microtasks later.
 */
export function isBodyHere(exchange: Exchange): boolean {
  const { request } = exchange;
  if (request.complete || !hasBody(exchange)) return true;
  return Number(request.headers['content-length']) === request.readableLength;
}

const empty = Buffer.alloc(0);

const bodyTooLarge = (bytesMax: number): MatrixError => tooLarge(`The request's body is longer than ${bytesMax} bytes`);

function collect({ request }: Exchange, bytesMax: number, receiving: ReceivingBody): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      try {
        if (size > bytesMax) throw bodyTooLarge(bytesMax);
        receiving.add(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        stop();
        request.pause();
        reject(error as MatrixError);
      }
    };
    const onEnd = (): void => {
      stop();
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size));
    };
    const onGone = (): void => {
      stop();
      // Without a listener a late error of the stream would be thrown.
      request.on('error', () => undefined);
      reject(new ClientGone());
    };
    if (request.destroyed) onGone();
    else request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}
