/** The client of clamd, against what stands in for it. The real one: spec/machine/clamd.spec.ts. */
import { createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clamd } from '../../../src/media/scanning/clamd.ts';
import { ScannerFailed } from '../../../src/media/scanning/scanner.ts';
import { systemSockets } from '../../../src/platform/outgoing-sockets.ts';
import { type ClamdStandIn, malware, malwareName, startClamdStandIn } from '../../support/clamd-stand-in.ts';

let standIn: ClamdStandIn;
beforeEach(async () => {
  standIn = await startClamdStandIn();
});
afterEach(() => standIn.close());

const clamd = (): Clamd => new Clamd(systemSockets, { host: '127.0.0.1', port: standIn.port });
const never = (): AbortSignal => new AbortController().signal;
async function* pieces(...parts: readonly (string | Buffer)[]): AsyncIterable<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}
const failureOf = async (work: Promise<unknown>): Promise<ScannerFailed> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ScannerFailed);
  return error as ScannerFailed;
};
const untilClosed = (): Promise<void> => vi.waitFor(() => expect(standIn.openConnections).toBe(0), { timeout: 30_000 });

describe('a scan', () => {
  it('finds nothing, or says what', async () => {
    expect(await clamd().scan(pieces('hello'), never())).toBeUndefined();
    expect(await clamd().scan(pieces('before ', malware, ' after'), never())).toBe(malwareName);
    expect(await clamd().scan(pieces(), never())).toBeUndefined();
    expect(standIn.streams.map(String)).toEqual(['hello', `before ${malware.toString()} after`, '']);
    await untilClosed();
  });

  it('finds what begins in one piece and ends in the next, and skips empty ones', async () => {
    expect(await clamd().scan(pieces(malware.subarray(0, 9), '', malware.subarray(9)), never())).toBe(malwareName);
  });

  it('sends no faster than is read: what is read ahead stays small', async () => {
    standIn.manner = 'deaf';
    let given = 0;
    async function* endless(): AsyncIterable<Buffer> {
      for (;;) {
        given += 65_536;
        yield Buffer.alloc(65_536);
      }
    }
    const controller = new AbortController();
    const scan = failureOf(clamd().scan(endless(), controller.signal));
    let before = -1;
    // Until the buffers of the two sockets are full.
    await vi.waitFor(
      () => {
        const isStill = given === before;
        before = given;
        expect(isStill).toBe(true);
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(given).toBeLessThan(32 * 1_048_576);
    controller.abort();
    await scan;
  });

  it('ends at the limit of streams, whichever side closes first', async () => {
    standIn.streamBytesMax = 100_000;
    let isEnded = false;
    async function* endless(): AsyncIterable<Buffer> {
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        isEnded = true;
      }
    }
    expect((await failureOf(clamd().scan(endless(), never()))).isAboutFile).toBe(true);
    expect(isEnded).toBe(true);
    await untilClosed();
  });

  it.each([
    ['an error', 'stream: Error reading stream ERROR'],
    ['nothing', ''],
    ['another word', 'stream: OKAY'],
    ['a verdict on something else', '/etc/passwd: OK'],
    ['a finding without a name', 'stream:  FOUND'],
  ])('takes %s for no verdict', async (_what, answer) => {
    standIn.answer = answer;
    expect((await failureOf(clamd().scan(pieces('hello'), never()))).isAboutFile).toBe(true);
  });

  it.each(['cut', 'cut at the first byte', 'babbling'] as const)('fails when the daemon is %s', async (manner) => {
    standIn.manner = manner;
    const { isAboutFile } = await failureOf(clamd().scan(pieces('hello', Buffer.alloc(3_000_000), malware), never()));
    expect(isAboutFile).toBe(true);
    await untilClosed();
  });

  it('takes an early approval for no verdict', async () => {
    standIn.manner = 'hasty';
    async function* waiting(): AsyncIterable<Buffer> {
      yield Buffer.from('hello');
      await vi.waitFor(() => expect(standIn.openConnections).toBe(0), { timeout: 30_000 });
      yield malware;
    }
    expect((await failureOf(clamd().scan(waiting(), never()))).isAboutFile).toBe(true);
  });

  it('is ended by its signal, and the connection with it', async () => {
    standIn.manner = 'silent';
    const controller = new AbortController();
    const scan = failureOf(clamd().scan(pieces('hello'), controller.signal));
    await vi.waitFor(() => expect(standIn.streams).toHaveLength(1), { timeout: 30_000 });
    controller.abort();
    await scan;
    await untilClosed();
  });

  it('throws what reading the file throws', async () => {
    async function* broken(): AsyncIterable<Buffer> {
      yield Buffer.from('hello');
      throw new Error('the disk is gone');
    }
    await expect(clamd().scan(broken(), never())).rejects.toThrow('the disk is gone');
    await untilClosed();
  });
});

describe('the daemon', () => {
  it('says its version', async () => {
    expect(await clamd().version(never())).toBe(standIn.version);
    standIn.version = 'UNKNOWN COMMAND';
    await failureOf(clamd().version(never()));
  });

  it('may not be there', async () => {
    const { port } = standIn;
    await standIn.close();
    const gone = new Clamd(systemSockets, { host: '127.0.0.1', port });
    const { message, isAboutFile } = await failureOf(gone.scan(pieces('hello'), never()));
    expect(message).toContain('ECONNREFUSED');
    expect(isAboutFile).toBe(false);
    const nowhere = new Clamd(systemSockets, { path: '/nonexistent/clamd.ctl' });
    expect((await failureOf(nowhere.version(never()))).message).toContain('ENOENT');
    standIn = await startClamdStandIn();
  });

  it('may listen on a socket of the file system', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'veche-clamd-'));
    const path = join(folder, 'clamd.ctl');
    const server = createServer((socket) => socket.resume().end('ClamAV 1.4.6\0'));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    expect(await new Clamd(systemSockets, { path }).version(never())).toBe('ClamAV 1.4.6');
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });
});
