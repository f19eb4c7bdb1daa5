/** Files up and down against bare streams of Node on the same disk, and the memory of many downloads at once. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MediaClient } from '../support/media-requests.ts';
import { ServerProcess } from '../support/server-process.ts';
import type { BenchContext, Measurement, Scenario } from './measurement.ts';
import { median } from './median.ts';
import { processCpu } from './thread-cpu.ts';

/** 0.7 of the throughput of bare streams. */
const timesBareMax = 1 / 0.7;
const memoryMbMax = 120;

export const media: Scenario = async (bench) => {
  const { mediaBytes, mediaRounds } = bench.sizes;
  const url = await bench.postgres?.();
  const server = await ServerProcess.start(url === undefined ? {} : { environment: { DATABASE_URL: url } });
  const bare = await BareServer.start();
  try {
    const alice = await MediaClient.register(server, 'alice');
    const up: Compared[] = [];
    const down: Compared[] = [];
    let uri = '';
    for (let round = 0; round < mediaRounds; round++) {
      bench.say(`media: ${mediaBytes} bytes up and down, round ${round + 1} of ${mediaRounds}`);
      const bareUp = await timed(() => send(`${bare.url}/`, '', mediaBytes, round), bare.pid);
      const path = `${server.url}/_matrix/media/v3/upload`;
      const ownUp = await timed(async () => {
        uri = uriIn(await send(path, alice.token, mediaBytes, round));
      }, server.pid);
      up.push({ own: ownUp, bare: bareUp });
      const bareDown = await timed(() => receive(`${bare.url}/`, '', mediaBytes), bare.pid);
      const download = `${server.url}${pathOf(uri)}`;
      const ownDown = await timed(() => receive(download, alice.token, mediaBytes), server.pid);
      down.push({ own: ownDown, bare: bareDown });
    }
    return [
      ...figures('upload', up, mediaBytes),
      ...figures('download', down, mediaBytes),
      ...(await manyAtOnce(bench, server, alice, uri)),
    ];
  } finally {
    await bare.close();
    await server.close();
  }
};

interface Timed {
  readonly ms: number;
  readonly cpuMs: number;
}
interface Compared {
  readonly own: Timed;
  readonly bare: Timed;
}

function figures(what: string, rounds: readonly Compared[], bytes: number): readonly Measurement[] {
  const mibPerS = (ms: number): number => bytes / 1_048_576 / (ms / 1_000);
  const value = (of: (one: Compared) => number): number => median(rounds.map(of));
  const scenario = 'media';
  return [
    { scenario, what: `${what}: throughput`, unit: 'MiB/s', value: value(({ own }) => mibPerS(own.ms)) },
    {
      scenario,
      what: `${what}: throughput of bare streams`,
      unit: 'MiB/s',
      value: value(({ bare }) => mibPerS(bare.ms)),
    },
    {
      scenario,
      what: `${what}: time, of that of bare streams`,
      unit: 'times',
      value: value(({ own, bare }) => own.ms / bare.ms),
      atMost: timesBareMax,
    },
    {
      scenario,
      what: `${what}: CPU, of that of bare streams`,
      unit: 'times',
      value: value(({ own, bare }) => own.cpuMs / bare.cpuMs),
    },
  ];
}

/** Readers of parts that all begin before any of them reads on. */
async function manyAtOnce(
  bench: BenchContext,
  server: ServerProcess,
  { token }: MediaClient,
  uri: string,
): Promise<readonly Measurement[]> {
  const { mediaBytes, mediaDownloads } = bench.sizes;
  bench.say(`media: ${mediaDownloads} downloads at once`);
  await server.killAndRestart();
  await receive(`${server.url}${pathOf(uri)}`, token, mediaBytes);
  const beforeMb = peakMb(server.pid);
  const partBytes = Math.min(8_388_608, mediaBytes);
  const goOn = Promise.withResolvers<void>();
  const downloads = Array.from({ length: mediaDownloads }, (_, index) => {
    const start = (index * partBytes) % (mediaBytes - partBytes + 1);
    const range = `bytes=${start}-${start + partBytes - 1}`;
    return startDownload(`${server.url}${pathOf(uri)}`, token, range, goOn.promise);
  });
  await Promise.all(downloads.map(({ begun }) => begun));
  goOn.resolve();
  const sizes = await Promise.all(downloads.map(({ done }) => done));
  if (sizes.some((size) => size !== partBytes)) throw new Error('a part has another size');
  const what = `${mediaDownloads} downloads at once: peak memory above that of one`;
  return [{ scenario: 'media', what, unit: 'MB', value: peakMb(server.pid) - beforeMb, atMost: memoryMbMax }];
}

const pathOf = (uri: string): string => `/_matrix/client/v1/media/download/${uri.slice('mxc://'.length)}`;
const uriIn = (text: string): string => (JSON.parse(text) as { readonly content_uri: string }).content_uri;
const peakMb = (pid: number): number =>
  (Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024) / 1_000_000;

async function timed(work: () => Promise<unknown>, pid: number): Promise<Timed> {
  const [cpuUs, startMs] = [processCpu(pid).all, performance.now()];
  await work();
  return { ms: performance.now() - startMs, cpuMs: (processCpu(pid).all - cpuUs) / 1_000 };
}

/** As many bytes as wanted, which differ between rounds so that no round finds its content stored. */
async function send(url: string, token: string, bytes: number, round: number): Promise<string> {
  const piece = Buffer.alloc(Math.min(1_048_576, bytes), round + 1);
  const request = httpRequest(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-length': bytes },
    agent: false,
  });
  const answer = new Promise<string>((resolve, reject) => {
    request.on('error', reject).on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve(text));
    });
  });
  for (let sent = 0; sent < bytes; sent += piece.length)
    if (!request.write(piece.subarray(0, Math.min(piece.length, bytes - sent)))) await once(request, 'drain');
  request.end();
  return answer;
}

async function receive(url: string, token: string, bytes: number): Promise<void> {
  const received = await startDownload(url, token, undefined, Promise.resolve()).done;
  if (received !== bytes) throw new Error(`${received} bytes came instead of ${bytes}`);
}

/** Reads nothing of the body before `goOn`. */
function startDownload(
  url: string,
  token: string,
  range: string | undefined,
  goOn: Promise<void>,
): { readonly begun: Promise<void>; readonly done: Promise<number> } {
  const begun = Promise.withResolvers<void>();
  const done = Promise.withResolvers<number>();
  const headers = { authorization: `Bearer ${token}`, ...(range === undefined ? {} : { range }) };
  const request = httpRequest(url, { headers, agent: false }, (response) => {
    begun.resolve();
    void goOn.then(() => {
      let size = 0;
      response.on('data', (chunk: Buffer) => (size += chunk.length)).on('end', () => done.resolve(size));
    });
    response.on('error', (error) => done.reject(error));
  });
  request.on('error', (error) => {
    begun.reject(error);
    done.reject(error);
  });
  request.end();
  return { begun: begun.promise, done: done.promise };
}

class BareServer {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Its file is where the data of servers under test is. */
  static async start(): Promise<BareServer> {
    const folder = mkdtempSync(join(tmpdir(), 'veche-bare-'));
    const program = fileURLToPath(new URL('./bare-stream.fixture.ts', import.meta.url));
    const child = spawn(process.execPath, [program, join(folder, 'file')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port]: unknown[] = await once(child.stdout, 'data');
    return new BareServer(child, folder, Number(String(port)));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
    rmSync(this.#folder, { recursive: true });
  }
}
