import type { Duplex } from 'node:stream';
import type { OutgoingSockets, SocketAddress } from '../../platform/ports.ts';
import { countTransferred } from '../../platform/transfer-memory.ts';
import { type Scanner, ScannerFailed } from './scanner.ts';

/**
 * ClamAV's daemon: each file goes over a connection of its own, in pieces that carry their lengths (INSTREAM), so that neither side has it
 * in memory. https://docs.clamav.net/manual/Usage/Scanning.html#clamd
 */
export class Clamd implements Scanner {
  readonly name = 'clamd';
  readonly #sockets: OutgoingSockets;
  readonly #address: SocketAddress;

  constructor(sockets: OutgoingSockets, address: SocketAddress) {
    this.#sockets = sockets;
    this.#address = address;
  }

  async version(signal: AbortSignal): Promise<string> {
    const version = await this.#converse(signal, 'zVERSION\0', () => Promise.resolve());
    if (!version.startsWith('ClamAV ')) throw unexpected(version);
    return version;
  }

  async scan(chunks: AsyncIterable<Buffer>, signal: AbortSignal): Promise<string | undefined> {
    let isAllSent = false;
    const answer = await this.#converse(signal, 'zINSTREAM\0', async (conversation) => {
      isAllSent = await sendAll(conversation, chunks);
    });
    if (answer === 'stream: OK' && isAllSent) return undefined;
    const [, finding] = /^stream: (.+) FOUND$/.exec(answer) ?? [];
    if (finding === undefined) throw unexpected(answer);
    return finding;
  }

  /** Sends a command and what belongs to it, and gives the answer, which may come before all is sent. */
  async #converse(
    signal: AbortSignal,
    command: string,
    send: (conversation: Conversation) => Promise<void>,
  ): Promise<string> {
    const socket = await this.#sockets.connect(this.#address, signal).catch((error: unknown) => {
      throw new ScannerFailed(`clamd cannot be reached: ${reasonOf(error)}`, { cause: error });
    });
    const conversation: Conversation = { socket, isOver: false };
    const answer = readAnswer(socket).finally(() => (conversation.isOver = true));
    // It is awaited later, or what is thrown before says more.
    answer.catch(() => undefined);
    try {
      await write(conversation, Buffer.from(command));
      await send(conversation);
      return await answer.catch(asFailure);
    } finally {
      socket.destroy();
    }
  }
}

interface Conversation {
  readonly socket: Duplex;
  /** An answer has come, or none will. */
  isOver: boolean;
}

/** false: the answer came before. */
async function sendAll(conversation: Conversation, chunks: AsyncIterable<Buffer>): Promise<boolean> {
  for await (const chunk of chunks) {
    countTransferred(chunk.length);
    if (chunk.length > 0) await write(conversation, lengthOf(chunk), chunk);
    if (conversation.isOver) return false;
  }
  await write(conversation, lengthOf(emptyPiece));
  return true;
}

/** Resolves when it is on its way. Whatever goes wrong is said by the answer, or by its absence: clamd may answer and close at any time. */
async function write(conversation: Conversation, ...parts: readonly Buffer[]): Promise<void> {
  const { socket } = conversation;
  await new Promise<void>((resolve) => {
    socket.cork();
    for (const [index, part] of parts.entries())
      if (index < parts.length - 1) socket.write(part);
      else
        socket.write(part, (error) => {
          if (error) conversation.isOver = true;
          resolve();
        });
    socket.uncork();
  });
}

const emptyPiece = Buffer.alloc(0);
function lengthOf(piece: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(piece.length);
  return length;
}

/** What comes up to a NUL. */
async function readAnswer(socket: Duplex): Promise<string> {
  let answer = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    answer = Buffer.concat([answer, chunk]);
    const end = answer.indexOf(0);
    if (end !== -1) return answer.toString('utf8', 0, Math.min(end, answerBytesMax));
    if (answer.length > answerBytesMax) throw new ScannerFailed('clamd answered with too much', { isAboutFile: true });
  }
  throw new ScannerFailed('clamd ended the connection without an answer', { isAboutFile: true });
}

/** After it could be reached: it may be because of this file, of which clamd may have taken too much. */
function asFailure(error: unknown): never {
  if (error instanceof ScannerFailed) throw error;
  const hint = 'is its StreamMaxLength smaller than stream_bytes_max?';
  throw new ScannerFailed(`clamd ended the connection (${hint}): ${reasonOf(error)}`, {
    cause: error,
    isAboutFile: true,
  });
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const unexpected = (answer: string): ScannerFailed =>
  new ScannerFailed(`clamd answered: ${JSON.stringify(answer.slice(0, 200))}`, { isAboutFile: true });
const answerBytesMax = 1_024;
