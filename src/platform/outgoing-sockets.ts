import { connect } from 'node:net';
import { addAbortSignal, type Duplex } from 'node:stream';
import type { OutgoingSockets } from './ports.ts';

export const systemSockets: OutgoingSockets = {
  async connect(address, signal) {
    signal.throwIfAborted();
    const socket = connect('path' in address ? { path: address.path } : { host: address.host, port: address.port });
    addAbortSignal(signal, socket);
    return new Promise<Duplex>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        // Whoever reads or writes is told; one that fails while nobody does must not end the process.
        socket.on('error', () => undefined);
        resolve(socket);
      });
    });
  },
};
