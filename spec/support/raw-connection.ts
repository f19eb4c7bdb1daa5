/** A TCP connection that sends exactly the bytes it is told to, for requests that no client library would send. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawConnection {
  readonly socket: Socket;
  /** What was received so far, as latin1; of more than a mebibyte, the beginning. */
  received(): string;
  send(bytes: string | Buffer): void;
  /** Resolves when `found` accepts what was received; rejects when the connection ends before. */
  until(found: (received: string) => boolean): Promise<string>;
  /** Resolves with everything received when the other side has ended the connection. */
  ended(): Promise<string>;
  destroy(): void;
}

/** `tls`: without checking the certificate. */
export function openRawConnection(port: number, options: { tls?: boolean; host?: string } = {}): RawConnection {
  const target = { port, host: options.host ?? '127.0.0.1' };
  const socket = options.tls === true ? connectTls({ ...target, rejectUnauthorized: false }) : connectTcp(target);
  let text = '';
  let isEnded = false;
  const waiters = new Set<() => void>();
  const wake = (): void => {
    for (const waiter of waiters) waiter();
  };
  socket.on('data', (bytes: Buffer) => {
    if (text.length < keptBytes) text += bytes.toString('latin1');
    wake();
  });
  // A reset connection has ended like any other; the close event follows.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isEnded = true;
    wake();
  });
  const when = (isSettled: () => boolean, found: () => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (!isSettled()) return;
        waiters.delete(check);
        if (found()) resolve(text);
        else reject(new Error(`the connection ended after: ${text.slice(0, 500)}`));
      };
      waiters.add(check);
      check();
    });
  return {
    socket,
    received: () => text,
    send: (bytes) => void socket.write(bytes),
    until: (found) =>
      when(
        () => isEnded || found(text),
        () => found(text),
      ),
    ended: () =>
      when(
        () => isEnded,
        () => true,
      ),
    destroy: () => void socket.destroy(),
  };
}

const keptBytes = 1_048_576;

/** The status of the last response received. */
export const lastStatus = (received: string): number =>
  Number([...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].at(-1)?.[1] ?? 0);
