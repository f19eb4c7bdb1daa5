/**
 * A push gateway as a process of its own, on a free port of the loopback address. It prints one JSON line for each notification;
 * `answers` are lines that it reads: how it answers from then on.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

interface Answer {
  readonly status: number;
  readonly rejected: readonly string[];
}
let answer: Answer = { status: 200, rejected: [] };
createInterface({ input: process.stdin }).on('line', (line) => {
  answer = JSON.parse(line) as Answer;
  say({ answers: answer.status });
});

const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const { status, rejected } = answer;
    say({ status, path: request.url, ...(JSON.parse(body) as object) });
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ rejected }));
  });
});
server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));

function say(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
