/** What every worker thread runs: it loads the module named in its data and answers requests in the order in which they come. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadHandler, toWireError, Transferring, type WorkerReply, type WorkerRequest } from './worker-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('worker-main.ts runs in a worker thread only');
const { module, data } = workerData as { readonly module: string; readonly data: unknown };

const waiting: WorkerRequest[] = [];
let isBusy = true;
port.on('message', (message: WorkerRequest) => {
  waiting.push(message);
  if (!isBusy) void work();
});
const handler = await loadHandler(module, data);
void work();

async function work(): Promise<void> {
  isBusy = true;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await answer(next);
  isBusy = false;
}

async function answer({ id, request }: WorkerRequest): Promise<void> {
  try {
    const result = await handler(request);
    if (result instanceof Transferring) reply({ id, response: result.response }, [...result.transfer]);
    else reply({ id, response: result });
  } catch (error) {
    reply({ id, error: toWireError(error) });
  }
}

function reply(message: WorkerReply, transfer: Parameters<NonNullable<typeof port>['postMessage']>[1] = []): void {
  port?.postMessage(message, transfer);
}
