import type { Socket } from 'node:net';

/**
 * Cuts a connection on which no byte moves in either direction for `idleMs` while something is being transferred. The
 * socket's own timer starts again with every byte received and with every byte that the reader has taken. It must be
 * cleared when the transfer ends, because a parked long poll is not idle.
 */
export function limitTransferIdle(socket: Socket, idleMs: number): void {
  socket.setTimeout(idleMs);
}

export function clearTransferIdle(socket: Socket): void {
  socket.setTimeout(0);
}
