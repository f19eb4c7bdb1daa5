/**
 * Stands in for clamd on a free port of the loopback address: it speaks VERSION and INSTREAM as clamd 1.4 does, and finds one text. The
 * real one is asked in spec/machine/clamd.spec.ts.
 */
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface ClamdStandIn {
  readonly port: number;
  /** For the configuration. */
  readonly address: string;
  version: string;
  /** As StreamMaxLength. */
  streamBytesMax: number;
  /** How the next streams are treated. silent: all is taken, and nothing answered. deaf: nothing is even read. hasty: OK before the end. */
  manner: 'honest' | 'silent' | 'deaf' | 'cut' | 'cut at the first byte' | 'babbling' | 'hasty';
  /** Answered instead of a verdict. */
  answer: string | undefined;
  /** Streams that came to their ends, as they were received. */
  readonly streams: readonly Buffer[];
  /** Commands of all connections. */
  readonly commands: readonly string[];
  readonly openConnections: number;
  /** Lets the silent ones answer, and the next ones be honest. */
  release(): void;
  close(): Promise<void>;
}

/** What is found. */
export const malware = Buffer.from('veche-test-malware-7d1f');
export const malwareName = 'VecheTestMalware.UNOFFICIAL';

export async function startClamdStandIn(): Promise<ClamdStandIn> {
  const streams: Buffer[] = [];
  const commands: string[] = [];
  const held: (() => void)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Clients that cut are part of the specs.
    socket.on('error', () => undefined);
    if (running.manner === 'deaf') return void socket.pause();
    let received = Buffer.alloc(0);
    let stream: Buffer[] | undefined;
    const end = (answer: string): void => void socket.end(`${answer}\0`);
    const take = (): void => {
      if (stream === undefined) {
        const command = received.indexOf(0);
        if (command === -1) return;
        const name = received.toString('utf8', 0, command);
        commands.push(name);
        received = received.subarray(command + 1);
        if (name === 'zVERSION') return end(running.version);
        if (name !== 'zINSTREAM') return end('UNKNOWN COMMAND');
        stream = [];
      }
      while (received.length >= 4) {
        if (running.manner === 'cut at the first byte') return void socket.destroy();
        if (running.manner === 'hasty') return void socket.write('stream: OK\0');
        const length = received.readUInt32BE();
        if (stream.reduce((sum, piece) => sum + piece.length, length) > running.streamBytesMax)
          return end('INSTREAM size limit exceeded. ERROR');
        if (length === 0) return finish(Buffer.concat(stream));
        if (received.length < 4 + length) return;
        stream.push(received.subarray(4, 4 + length));
        received = received.subarray(4 + length);
      }
    };
    const finish = (bytes: Buffer): void => {
      streams.push(bytes);
      const verdict = (): void =>
        end(running.answer ?? (bytes.includes(malware) ? `stream: ${malwareName} FOUND` : 'stream: OK'));
      if (running.manner === 'silent') held.push(verdict);
      else if (running.manner === 'cut') socket.destroy();
      else if (running.manner === 'babbling') socket.write('stream: '.repeat(1_000));
      else verdict();
    };
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      take();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const running: ClamdStandIn = {
    port,
    address: `127.0.0.1:${port}`,
    version: 'ClamAV 1.4.6/27500/Mon Jan 15 08:00:00 2024',
    streamBytesMax: 1_048_576,
    manner: 'honest',
    answer: undefined,
    streams,
    commands,
    get openConnections() {
      return sockets.size;
    },
    release() {
      running.manner = 'honest';
      for (const verdict of held.splice(0)) verdict();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return running;
}
