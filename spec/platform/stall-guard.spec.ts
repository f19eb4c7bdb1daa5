import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { stallGuarded } from '../../src/platform/stall-guard.ts';
import { testPorts } from '../support/test-ports.ts';
import { bytesOf, readAll } from '../media/blob-store-contract.ts';

const stallMsMax = 30_000;
function guard() {
  const ports = testPorts();
  const source = new PassThrough({ highWaterMark: 16 });
  const fail = (reason: Error): Error => new Error(`told: ${reason.message}`);
  return { ports, source, guarded: stallGuarded(source, { timers: ports.timers, stallMsMax, fail }) };
}

describe('a guarded stream', () => {
  it('gives the same bytes, however long its reader takes', async () => {
    const { ports, source, guarded } = guard();
    const bytes = bytesOf(500_000);
    const sent = (async () => {
      for (let at = 0; at < bytes.length; at += 10_000)
        if (!source.write(bytes.subarray(at, at + 10_000)))
          await new Promise((resolve) => source.once('drain', resolve));
      source.end();
    })();
    const pieces: Buffer[] = [];
    for await (const piece of guarded as AsyncIterable<Buffer>) {
      pieces.push(piece);
      // Its buffer fills meanwhile: then it waits for nothing.
      while (guarded.readableLength < 65_536 && !source.readableEnded) await setImmediate();
      await ports.advance(stallMsMax * 3);
    }
    await sent;
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  });

  it('ends in an error when nothing comes although its reader waits', async () => {
    const { ports, source, guarded } = guard();
    source.write('a');
    const ended = readAll(guarded).catch(String);
    await setImmediate();
    await ports.advance(stallMsMax - 1);
    expect(guarded.destroyed).toBe(false);
    await ports.advance(1);
    expect(await ended).toBe('Error: told: nothing came for 30000 ms');
    expect(source.destroyed).toBe(true);
  });

  it('tells of what fails, and of what ends before its end', async () => {
    const failing = guard();
    const failed = readAll(failing.guarded);
    failing.source.destroy(new Error('broken'));
    await expect(failed).rejects.toThrow('told: broken');
    const cut = guard();
    const wasCut = readAll(cut.guarded);
    cut.source.destroy();
    await expect(wasCut).rejects.toThrow('told: the connection was cut');
  });

  it('ends its source when its reader goes', async () => {
    const { source, guarded } = guard();
    source.write('a');
    guarded.destroy();
    await expect.poll(() => source.destroyed).toBe(true);
  });
});
