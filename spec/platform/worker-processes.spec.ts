import { execFileSync, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkerProcess } from '../../src/platform/ports.ts';
import { InlineProcesses, processWorkers } from '../../src/platform/worker-processes.ts';
import { WorkerEnded } from '../../src/platform/worker-calls.ts';
import { InlineWorkers } from '../../src/platform/workers.ts';
import type { FixtureRequest } from './worker-processes.fixture.ts';

const fixture = new URL('./worker-processes.fixture.ts', import.meta.url);
const started: WorkerProcess<FixtureRequest, unknown>[] = [];
afterEach(() => Promise.all(started.splice(0).map((worker) => worker.kill())));

function start(rssBytesMax = 1024 ** 3, processes = processWorkers): WorkerProcess<FixtureRequest, unknown> {
  const worker = processes.start<FixtureRequest, unknown>(fixture, { greeting: 'hello' }, { rssBytesMax });
  started.push(worker);
  return worker;
}

describe.each([
  ['of its own', processWorkers],
  ['inline', new InlineProcesses(new InlineWorkers())],
])('a worker process %s', (_form, processes) => {
  it('gets its data at the start and answers each request with its own response', async () => {
    const worker = start(undefined, processes);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, value) => worker.call({ kind: 'echo', value })));
    expect(answers).toEqual(Array.from({ length: 20 }, (_, value) => ({ greeting: 'hello', value })));
  });

  it('passes an error on with name, message and code, and goes on', async () => {
    const worker = start(undefined, processes);
    await expect(worker.call({ kind: 'fail' })).rejects.toMatchObject({ name: 'RangeError', code: 'EPICTURE' });
    expect(await worker.call({ kind: 'echo', value: 2 })).toMatchObject({ value: 2 });
  });

  it('finishes what was asked before it closes, and takes nothing afterwards', async () => {
    const worker = start(undefined, processes);
    const before = worker.call({ kind: 'echo', value: 1 });
    const closed = worker.close();
    await expect(worker.call({ kind: 'echo', value: 2 })).rejects.toThrow(WorkerEnded);
    expect(await before).toMatchObject({ value: 1 });
    await closed;
  });
});

describe('a worker process', () => {
  it('carries bytes both ways', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index & 255));
    const answer = await start().call({ kind: 'echo', value: bytes });
    expect(Buffer.compare((answer as { value: Buffer }).value, bytes)).toBe(0);
  });

  it('sees nothing of the environment but what programs need', async () => {
    process.env['VECHE_SPEC_SECRET'] = 'not for strangers';
    const { environment } = (await start().call({ kind: 'about' })) as { environment: string[] };
    delete process.env['VECHE_SPEC_SECRET'];
    expect(environment).not.toContain('VECHE_SPEC_SECRET');
    expect(environment).toContain('UV_THREADPOOL_SIZE');
  });

  it('that crashes rejects what it was asked, says how it ended, and ends alone', async () => {
    const worker = start();
    const error: unknown = await worker.call({ kind: 'crash' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkerEnded);
    expect((error as WorkerEnded).cause).toMatchObject({ message: expect.stringMatching(/SIG(ABRT|ILL|TRAP)/) });
    await expect(worker.call({ kind: 'echo', value: 1 })).rejects.toThrow(WorkerEnded);
  });

  it('that grows beyond its memory ends itself', async () => {
    const error: unknown = await start(300 * 1024 ** 2)
      .call({ kind: 'grow' })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkerEnded);
  });

  it('that hangs can be killed', async () => {
    const worker = start();
    const { pid } = (await worker.call({ kind: 'about' })) as { pid: number };
    await Promise.all([expect(worker.call({ kind: 'hang' })).rejects.toThrow(WorkerEnded), worker.kill()]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  const modules = JSON.stringify(new URL('../../src/platform/worker-processes.ts', import.meta.url).href);
  const starting = `
    import { processWorkers } from ${modules};
    const worker = processWorkers.start(new URL(${JSON.stringify(fixture.href)}), { greeting: 'hi' }, { rssBytesMax: 1e9 });
  `;

  it('ends with the program that started it, also when that is killed', async () => {
    const program = `${starting}
      console.log((await worker.call({ kind: 'about' })).pid);
      await worker.call({ kind: 'echo', value: 1 });
      setInterval(() => undefined, 1_000);
    `;
    const server = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = await new Promise<number>((resolve) => void server.stdout.on('data', (text) => resolve(Number(text))));
    expect(process.kill(pid, 0)).toBe(true);
    server.kill('SIGKILL');
    await expect.poll(() => isRunning(pid), { timeout: 60_000 }).toBe(false);
  });

  it('that is idle keeps no program from ending', () => {
    const program = `${starting}
      console.log(JSON.stringify(await worker.call({ kind: 'echo', value: 7 })));
    `;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(JSON.parse(out)).toEqual({ greeting: 'hi', value: 7 });
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
