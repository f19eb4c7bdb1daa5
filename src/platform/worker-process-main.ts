/** What every worker process runs: it loads the module named in its argument and answers requests in the order in which they come. */
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { loadHandler, toWireError, Transferring, type WorkerReply, type WorkerRequest } from './worker-protocol.ts';

interface Given {
  readonly module: string;
  readonly data: unknown;
  readonly rssBytesMax: number;
}
const memoryCheckMs = 20;
const tooLargeCode = 86;
const { module, data, rssBytesMax } = JSON.parse(process.argv[2] ?? '{}') as Given;

yieldToOthers();
const handler = loadHandler(module, data);
let last: Promise<unknown> = handler;
process.on('message', ({ id, request }: WorkerRequest) => {
  last = last.then(() => answer(id, request));
});
process.on('disconnect', () => process.exit(0));
// Native work goes on in another thread meanwhile, so this sees it grow.
setInterval(() => {
  if (process.memoryUsage.rss() > rssBytesMax) process.exit(tooLargeCode);
}, memoryCheckMs);

async function answer(id: number, request: unknown): Promise<void> {
  let reply: WorkerReply;
  try {
    const result = await (await handler)(request);
    reply = { id, response: result instanceof Transferring ? result.response : result };
  } catch (error) {
    reply = { id, error: toWireError(error) };
  }
  process.send?.(reply);
}

/** Where the system has it: others are served first, and when memory runs out this process is the one that ends. */
function yieldToOthers(): void {
  try {
    setPriority(10);
    if (process.platform === 'linux') writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // A container may forbid either; the limits on memory and time hold all the same.
  }
}
