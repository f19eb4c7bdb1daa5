/** Files that a server played by a test has, and what it can do wrong with them. */
import type { PeerAnswer, PeerReply, PeerStream } from '../../../support/federated-network.ts';

export const download = '/_matrix/federation/v1/media/download/';

export interface PartsOptions {
  readonly boundary?: string;
  readonly headers?: readonly string[];
  readonly end?: string;
}

/** An answer with a file, as it should be unless `options` say otherwise. */
export function parts(file: AsyncIterable<Buffer>, options: PartsOptions = {}): PeerStream {
  const { boundary = 'abc', headers = ['Content-Type: text/plain'], end = `\r\n--${boundary}--\r\n` } = options;
  return {
    headers: { 'content-type': 'multipart/mixed; boundary=abc' },
    stream: (async function* () {
      yield Buffer.from(`--${boundary}\r\nContent-Type: application/json\r\n\r\n{}\r\n--${boundary}\r\n`);
      yield Buffer.from([...headers, '', ''].join('\r\n'));
      yield* file;
      yield Buffer.from(end);
    })(),
  };
}

export async function* chunksOf(...chunks: readonly (Buffer | string)[]): AsyncIterable<Buffer> {
  // Copies: whoever receives them takes their memory.
  for (const chunk of chunks) yield Buffer.copyBytesFrom(Buffer.from(chunk));
}

/** Never ends. `taken` is told how much was. */
export async function* endless(text: string, taken: (bytes: number) => void = () => undefined): AsyncIterable<Buffer> {
  for (let bytes = 0; ; bytes += text.length) {
    taken(bytes);
    yield Buffer.from(text);
  }
}

/** A peer that answers for its files by their ids. */
export const withFiles =
  (files: Readonly<Record<string, () => PeerReply>>): PeerAnswer =>
  ({ uri }) => {
    const [path = ''] = uri.split('?');
    return path.startsWith(download) ? files[path.slice(download.length)]?.() : undefined;
  };
