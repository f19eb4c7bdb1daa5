/** CPU time and memory of another process, thread by thread, as Linux tells them. */
import { readFileSync, readdirSync } from 'node:fs';

/** µs of CPU. */
export interface ProcessCpu {
  readonly all: number;
  /** JavaScript of the main thread. */
  readonly main: number;
  /** The thread that writes to SQLite. */
  readonly writer: number;
  /** Compilation and garbage collection beside them, files, name resolution. */
  readonly helpers: number;
}

/** Throws where there is no /proc. */
export function processCpu(pid: number): ProcessCpu {
  const byName = { main: 0, writer: 0, helpers: 0 };
  for (const thread of readdirSync(`/proc/${pid}/task`)) byName[roleOf(pid, thread)] += cpuOf(pid, thread);
  return { ...byName, all: byName.main + byName.writer + byName.helpers };
}

/** Per operation. */
export function cpuSince(before: ProcessCpu, after: ProcessCpu, operations: number): ProcessCpu {
  const each = (name: keyof ProcessCpu): number => (after[name] - before[name]) / operations;
  return { all: each('all'), main: each('main'), writer: each('writer'), helpers: each('helpers') };
}

/** In MiB. `own`: without what is mapped from files, such as the program of Node itself. */
export function residentMemory(pid: number): { readonly all: number; readonly own: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { all: of('VmRSS'), own: of('RssAnon') };
}

function roleOf(pid: number, thread: string): 'main' | 'writer' | 'helpers' {
  if (thread === String(pid)) return 'main';
  const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8');
  return name.startsWith('WorkerThread') ? 'writer' : 'helpers';
}

/** The first number of schedstat is the time on a CPU in ns, exact; the ticks of stat are 10 ms. */
function cpuOf(pid: number, thread: string): number {
  return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1000;
}
