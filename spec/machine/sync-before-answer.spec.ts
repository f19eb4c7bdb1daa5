/**
 * Seen from outside, in the system calls of the server: an event is in the write-ahead log, and the log is on the disk, before
 * the first byte of the answer that acknowledges it. Needs strace.
 */
import { afterEach, expect, it } from 'vitest';
import { Link, roomPath } from '../journeys/support/load.ts';
import { ServerProcess } from '../support/server-process.ts';
import { type SystemCall, traceProcess } from './support/strace.ts';

let server: ServerProcess | undefined;
afterEach(() => server?.close());

const writes = ['write', 'writev', 'pwrite64', 'pwritev', 'sendto', 'sendmsg'];
const syncs = ['fsync', 'fdatasync'];

it('syncs the log between writing an event and answering who sent it', async () => {
  server = await ServerProcess.start();
  const link = new Link(server);
  const { token, below } = await enterRoom(link);
  const send = async (number: number): Promise<Acknowledged> => {
    const text = `traced-${number}-message`;
    const content = { msgtype: 'm.text', body: text };
    const { json } = await link.request('PUT', `${below}/send/m.room.message/${number}`, token, content);
    return { text, eventId: String(json['event_id']) };
  };

  const trace = await traceProcess(server.pid, [...writes, ...syncs], 20_000);
  const acknowledged: Acknowledged[] = [];
  for (let number = 0; number < 30; number++) acknowledged.push(await send(number));
  // these share commits
  const together = Array.from({ length: 100 }, (_, index) => send(100 + index));
  acknowledged.push(...(await Promise.all(together)));
  const calls = await trace.end();

  const walSyncs = calls.filter(({ name, args, result }) => syncs.includes(name) && isLog(args) && result === 0);
  const walWrites = calls.filter(({ name, args }) => writes.includes(name) && isLog(args));
  const answers = calls.filter(({ name, args }) => writes.includes(name) && isConnection(args));
  const early = acknowledged.filter(({ text, eventId }) => {
    const written = first(walWrites, text);
    const answered = first(answers, eventId);
    return !walSyncs.some((sync) => sync.entered > written.returned && sync.returned < answered.entered);
  });
  expect(early).toEqual([]);
  console.log(
    `${acknowledged.length} sends: ${walWrites.length} writes to the log, ${walSyncs.length} syncs (${walSyncs[0]?.name})`,
  );
  // one for each of those that came alone, fewer than one for the others
  expect(walSyncs.length).toBeGreaterThanOrEqual(30);
  expect(walSyncs.length).toBeLessThan(acknowledged.length);
});

interface Acknowledged {
  readonly text: string;
  readonly eventId: string;
}

const isLog = (args: string): boolean => /^\d+<[^>]*-wal>/.test(args);
const isConnection = (args: string): boolean => /^\d+<TCP/.test(args);

function first(calls: readonly SystemCall[], text: string): SystemCall {
  const found = calls.find(({ args }) => args.includes(text));
  if (found === undefined) throw new Error(`no system call has ${text}`);
  return found;
}

async function enterRoom(link: Link): Promise<{ token: string; below: string }> {
  const account = { username: 'alice', password: 'x', auth: { type: 'm.login.dummy' } };
  const token = String((await link.request('POST', '/_matrix/client/v3/register', '', account)).json['access_token']);
  const room = await link.request('POST', '/_matrix/client/v3/createRoom', token, {});
  return { token, below: roomPath(String(room.json['room_id'])) };
}
