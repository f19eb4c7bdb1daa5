import { describe, expect, it } from 'vitest';
import { limits } from '../../src/platform/limits.ts';
import { GatewayLines } from '../../src/push/gateway-lines.ts';

describe('the lines before push gateways', () => {
  const start = () => {
    const lines = new GatewayLines();
    const abort = new AbortController();
    const sending: { gateway: string; end: (error?: Error) => void }[] = [];
    const send = (gateway: string): Promise<void> =>
      lines.run(
        gateway,
        abort.signal,
        () =>
          new Promise<void>((resolve, reject) => {
            sending.push({ gateway, end: (error) => (error === undefined ? resolve() : reject(error)) });
          }),
      );
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const count = (gateway: string) => sending.filter((each) => each.gateway === gateway).length;
    return { send, sending, abort, turn, count };
  };

  it('let so many through to one, and so many in all, and everybody in the end', async () => {
    const { send, sending, turn, count } = start();
    const all = Array.from({ length: 1_000 }, (_, i) => send(i < 600 ? 'slow' : `other ${i % 50}`));
    await turn();
    expect([sending.length, count('slow')]).toEqual([limits.pushesAtOnceMax, limits.pushesPerGatewayMax]);
    for (let done = 0; done < 1_000; done++) {
      sending[done]?.end();
      await turn();
      expect(sending.length - done - 1).toBeLessThanOrEqual(limits.pushesAtOnceMax);
    }
    await Promise.all(all);
  });

  it('try a gateway that failed by one at a time until it answers', async () => {
    const { send, sending, turn } = start();
    const outcomes = Array.from({ length: 100 }, () => send('gateway').catch(() => 'failed'));
    await turn();
    for (let i = 0; i < limits.pushesPerGatewayMax; i++) sending[i]?.end(new Error('down'));
    await turn();
    expect(sending).toHaveLength(limits.pushesPerGatewayMax + 1);
    sending.at(-1)?.end(new Error('still down'));
    await turn();
    expect(sending).toHaveLength(limits.pushesPerGatewayMax + 2);
    sending.at(-1)?.end();
    await turn();
    expect(sending).toHaveLength(100);
    for (const { end } of sending) end();
    const failed = (await Promise.all(outcomes)).filter((outcome) => outcome === 'failed');
    expect(failed).toHaveLength(limits.pushesPerGatewayMax + 1);
  });

  it('let nobody through when the server ends', async () => {
    const { send, sending, abort, turn } = start();
    const outcomes = Array.from({ length: limits.pushesPerGatewayMax + 5 }, () => send('gateway').catch(() => 'ended'));
    await turn();
    abort.abort(new Error('the end'));
    for (const { end } of sending) end();
    const ended = (await Promise.all(outcomes)).filter((outcome) => outcome === 'ended');
    expect([sending.length, ended.length]).toEqual([limits.pushesPerGatewayMax, 5]);
    await expect(send('gateway')).rejects.toThrow('the end');
  });
});
