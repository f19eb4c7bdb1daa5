import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/platform/config/config.ts';
import { configFromServeEnv } from '../../src/platform/config/serve-env.ts';
import { outgoingPolicies } from '../../src/platform/outgoing-policies.ts';
import { systemPorts } from '../../src/platform/system-ports.ts';

const ports = systemPorts({ outgoing: outgoingPolicies(loadConfig(undefined, {})) });

describe('the real ports', () => {
  it('have a clock that goes on and one that never goes back', () => {
    expect(Math.abs(ports.clock.nowMs() - Date.now())).toBeLessThan(60_000);
    const times = Array.from({ length: 1_000 }, () => ports.clock.monotonicMs());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('run timers once, in order, and not when cancelled', async () => {
    const seen: string[] = [];
    ports.timers.after(20, () => seen.push('later'));
    ports.timers.after(5, () => seen.push('sooner'));
    ports.timers.after(1, () => seen.push('cancelled')).cancel();
    await new Promise<void>((resolve) => {
      ports.timers.after(40, resolve);
    });
    ports.timers.soon(() => seen.push('soon'));
    await ports.timers.sleep(20);
    expect(seen).toEqual(['sooner', 'later', 'soon']);
  });

  it('wait for longer than setTimeout can', async () => {
    let isRun = false;
    const timer = ports.timers.after(2 ** 31 + 10, () => (isRun = true));
    await ports.timers.sleep(20);
    expect(isRun).toBe(false);
    timer.cancel();
  });

  it('do not keep a process alive', async () => {
    const script = `
      import { systemTimers } from './src/platform/timers.ts';
      import { threadWorkers } from './src/platform/workers.ts';
      systemTimers.after(3_600_000, () => undefined);
      const module = new URL('${new URL('./workers.fixture.ts', import.meta.url).href}');
      const worker = threadWorkers.start(module, { greeting: 'hello' });
      console.log((await worker.call({ kind: 'echo', value: 1 })).greeting);`;
    const out = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, ['-e', script], { timeout: 50_000 }, (error, stdout) =>
        error === null ? resolve(stdout) : reject(error),
      );
    });
    expect(out).toBe('hello\n');
  });

  it('give random bytes and numbers', () => {
    expect(ports.random.bytes(16)).toHaveLength(16);
    expect(ports.random.bytes(16)).not.toEqual(ports.random.bytes(16));
    const drawn = new Set(Array.from({ length: 200 }, () => ports.random.int(3)));
    expect([...drawn].toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
  });

  it('resolve names by the system, addresses as themselves', async () => {
    expect(await ports.dns.lookup('127.0.0.1')).toEqual([{ address: '127.0.0.1', family: 4 }]);
    const addresses = (await ports.dns.lookup('localhost')).map(({ address }) => address);
    expect(addresses.some((address) => address === '127.0.0.1' || address === '::1')).toBe(true);
  });

  it('reach private addresses only where the configuration allows it', () => {
    const closed = outgoingPolicies(loadConfig(undefined, {}));
    expect(closed.federation).toEqual({ allowPrivateAddresses: [], caCertificates: [], verifyTls: true });
    expect(closed.general).toEqual({ ...closed.federation, blockedAddresses: [] });
    const ca = new URL('../fixtures/tls/ca.pem', import.meta.url).pathname;
    const open = outgoingPolicies(configFromServeEnv({ CA_CERT: ca }));
    expect(open.federation.allowPrivateAddresses).toEqual(['127.0.0.0/8', '::1/128']);
    expect(open.federation.caCertificates[0]).toContain('BEGIN CERTIFICATE');
    expect(open.general).toMatchObject({ allowPrivateAddresses: ['127.0.0.0/8', '::1/128'], caCertificates: [] });
  });
});
