/** Follows a running process with strace and tells its system calls in order. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SystemCall {
  readonly name: string;
  /** Arguments as strace prints them: file descriptors with what they are, texts with escapes. */
  readonly args: string;
  /** What it returned; an error is a negative number. */
  readonly result: number;
  /** When it was entered and when it had returned, as numbers of lines: another call's may lie between. */
  readonly entered: number;
  readonly returned: number;
}

export interface Trace {
  /** Lets the process go on alone and gives its calls by the order in which they were entered. */
  end(): Promise<readonly SystemCall[]>;
}

/** Resolves when all threads of the process are followed. Rejects with a sentence where strace is missing or not allowed. */
export async function traceProcess(pid: number, names: readonly string[], textBytesMax: number): Promise<Trace> {
  if (spawnSync('strace', ['--version']).status !== 0)
    throw new Error('This test needs strace; on Debian: apt-get install strace');
  const folder = mkdtempSync(join(tmpdir(), 'veche-strace-'));
  const file = join(folder, 'calls');
  const flags = ['-f', '-yy', '-s', String(textBytesMax), '-e', `trace=${names.join(',')}`, '-o', file];
  const tracer = spawn('strace', [...flags, '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(tracer, 'close');
  let said = '';
  await new Promise<void>((resolve, reject) => {
    tracer.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(' attached')) resolve();
    });
    void ended.then(() => reject(new Error(`strace may not follow a process here: ${said}`)));
  });
  return {
    async end() {
      tracer.kill('SIGINT');
      await ended;
      const calls = parseCalls(readFileSync(file, 'latin1'));
      rmSync(folder, { recursive: true });
      return calls;
    },
  };
}

function parseCalls(text: string): readonly SystemCall[] {
  const calls: SystemCall[] = [];
  /** Entered and not returned, by thread. */
  const open = new Map<string, { readonly name: string; readonly args: string; readonly entered: number }>();
  for (const [index, line] of text.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const [, name, args = ''] = /^(\w+)\((.*)$/.exec(rest) ?? [];
    const begun = open.get(thread);
    if (/^<\.\.\. \w+ resumed>/.test(rest) && begun !== undefined) {
      open.delete(thread);
      calls.push({ ...begun, result: resultOf(rest), returned: index });
    } else if (name !== undefined) {
      if (rest.endsWith('<unfinished ...>')) open.set(thread, { name, args, entered: index });
      else calls.push({ name, args, result: resultOf(rest), entered: index, returned: index });
    }
  }
  return calls.sort((a, b) => a.entered - b.entered);
}

const resultOf = (line: string): number => Number(/ = (-?\d+)[^=]*$/.exec(line)?.[1]);
