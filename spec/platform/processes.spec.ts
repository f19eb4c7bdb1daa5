import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Runs TypeScript in a process of its own. `onLine` is told of each line of its output. */
function run(
  script: string,
  onLine: (line: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err, seen] = ['', '', 0];
  child.stderr.on('data', (chunk: Buffer) => (err += String(chunk)));
  child.stdout.on('data', (chunk: Buffer) => {
    out += String(chunk);
    const lines = out.split('\n').slice(0, -1);
    for (const line of lines.slice(seen)) onLine(line, (signal) => child.kill(signal));
    seen = lines.length;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, out, err }));
  });
}

describe('stopOnSignal', () => {
  const script = (stop: string): string => `
    import { stopOnSignal } from './src/platform/process-signals.ts';
    stopOnSignal(${stop});
    setInterval(() => undefined, 1_000);
    console.log('ready');`;

  it('stops, and ends with the code that it is given', async () => {
    const stop = `async (signal) => { await new Promise((resolve) => setImmediate(resolve)); console.log('stopped by ' + signal); return 3; }`;
    const ended = await run(script(stop), (line, kill) => {
      if (line === 'ready') kill('SIGTERM');
    });
    expect(ended).toEqual({ code: 3, signal: null, out: 'ready\nstopped by SIGTERM\n', err: '' });
  });

  it('ends at once at the second signal', async () => {
    const stop = `() => { console.log('stopping'); return new Promise(() => undefined); }`;
    const ended = await run(script(stop), (line, kill) => {
      if (line === 'ready') kill('SIGINT');
      if (line === 'stopping') kill('SIGTERM');
    });
    expect(ended).toMatchObject({ code: 1, out: 'ready\nstopping\n' });
  });

  it('tells why stopping failed', async () => {
    const ended = await run(script(`() => Promise.reject(new Error('cannot stop'))`), (line, kill) => {
      if (line === 'ready') kill('SIGTERM');
    });
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('cannot stop');
  });
});

describe('the log on standard output', () => {
  const script = (format: string, end: string): string => `
    import { createLogger, flushLogger } from './src/platform/log.ts';
    import { systemClock } from './src/platform/clock.ts';
    const log = createLogger({ level: 'info', format: '${format}' }, { clock: systemClock });
    for (let i = 0; i < 1_000; i++) log.info({ i }, 'line');
    ${end}`;

  it.each(['process.exit(0);', 'await flushLogger(log); process.exit(0);', ''])(
    'is whole at the end of the process (%j)',
    async (end) => {
      const { out, code } = await run(script('auto', end));
      const lines = out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { i: number });
      expect(lines.map(({ i }) => i)).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
      expect(code).toBe(0);
    },
  );

  it('can be read by people', async () => {
    const { out, err } = await run(script('pretty', ''));
    expect(out).toMatch(/^\[?\d\d:\d\d:\d\d\.\d{3}\]? INFO: line {"i":0}$/m);
    expect(err).toBe('');
  });
});
