import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Answers what is not HTTP, or more of it than we read, with the standard error response, and ends the connection.
 * Headers that were not sent in time (slow loris) end up here too.
 */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || socket.bytesWritten > 0 || error.code === 'ECONNRESET') {
    // After the beginning of another answer, ours would be taken for a part of it.
    socket.destroy();
    return;
  }
  const { status, errcode, message } = answers[error.code ?? ''] ?? unreadable;
  const body = JSON.stringify({ errcode, error: message });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Access-Control-Allow-Origin: *\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  socket.destroySoon();
}

interface Answer {
  readonly status: number;
  readonly errcode: string;
  readonly message: string;
}
const unreadable: Answer = { status: 400, errcode: 'M_UNKNOWN', message: 'This is not a well-formed HTTP request' };
const answers: Readonly<Record<string, Answer>> = {
  HPE_HEADER_OVERFLOW: { status: 431, errcode: 'M_TOO_LARGE', message: "The request's headers are too long" },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, errcode: 'M_TOO_LARGE', message: 'The chunk extensions are too long' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, errcode: 'M_UNKNOWN', message: 'The request came too slowly' },
};
