import { afterEach, describe, expect, it } from 'vitest';
import { lastStatus } from '../support/raw-connection.ts';
import {
  closeAll,
  closing,
  Polls,
  largeBytes,
  largeEndpoint,
  storeEndpoint,
  start,
  open,
  get,
  put,
  jsonText,
  tls,
  serverCut,
  until,
} from './listener-fixtures.ts';

afterEach(closeAll);

describe.each([
  ['plain', undefined],
  ['TLS', tls],
])('transfers over %s connections', (_title, tlsOptions) => {
  const isTls = tlsOptions !== undefined;
  it('cuts a sender that sends nothing, not one that sends slowly, and not a parked long poll', async () => {
    const polls = new Polls();
    const limits = { transferIdleMs: 2_000 };
    const endpoints = [polls.endpoint, storeEndpoint];
    const server = await start({ endpoints, limits, listener: { tls: tlsOptions } });
    const poll = open(server.port, { tls: isTls });
    poll.send(get('/_matrix/client/v3/poll'));
    await polls.started();

    const [slow, stalled] = [open(server.port, { tls: isTls }), open(server.port, { tls: isTls })];
    const body = jsonText(100_000);
    let sent = 0;
    slow.send(put(body.length, ''));
    // Slow, but never silent for the whole of the limit; begun before the stalled one, so longer than the limit.
    const drip = setInterval(() => slow.send(body[sent++] ?? ''), 20);
    closing.push(() => clearInterval(drip));
    stalled.send(put(body.length, body.slice(0, 10)));
    expect(await stalled.ended()).toBe('');

    clearInterval(drip);
    slow.send(body.slice(sent));
    expect(await slow.until((text) => text.includes('length"'))).toContain('{"length":99989}');
    polls.release();
    expect(await poll.until((text) => text.includes('ended'))).toContain('released');
  });

  it('cuts a reader that takes nothing, not one that takes slowly', async () => {
    const limits = { transferIdleMs: 2_000 };
    const server = await start({ endpoints: [largeEndpoint], limits, listener: { tls: tlsOptions } });
    const [slow, stalled] = [open(server.port, { tls: isTls }), open(server.port, { tls: isTls })];
    let taken = 0;
    slow.socket.on('data', (bytes: Buffer) => {
      taken += bytes.length;
      slow.socket.pause();
    });
    slow.send(get('/_matrix/client/v3/large'));
    const sip = setInterval(() => slow.socket.resume(), 4);
    closing.push(() => clearInterval(sip));
    stalled.socket.pause();
    stalled.send(get('/_matrix/client/v3/large'));
    await until(() => server.answered.length === 2);
    await serverCut(server, 1);
    expect(taken).toBeLessThan(largeBytes);

    clearInterval(sip);
    slow.socket.on('data', () => slow.socket.resume());
    slow.socket.resume();
    await until(() => taken >= largeBytes);
    expect(lastStatus(slow.received())).toBe(200);
  });
});

describe('bodies that are not wanted', () => {
  it('answers before the body has come, reads the rest of it, and keeps the connection', async () => {
    const server = await start({ endpoints: [storeEndpoint], limits: { unauthenticatedBodyBytesMax: 1_000 } });
    const connection = open(server.port);
    connection.send(put(1_000_000, 'x'.repeat(100)));
    expect(lastStatus(await connection.until((text) => text.includes('M_TOO_LARGE')))).toBe(413);
    connection.send('x'.repeat(999_900) + put(13, '{"text":"hi"}'));
    expect(lastStatus(await connection.until((text) => text.includes('length"')))).toBe(200);
  });

  it('stops a chunked body as soon as it is too long, reads the rest, and closes', async () => {
    const server = await start({ endpoints: [storeEndpoint], limits: { unauthenticatedBodyBytesMax: 1_000 } });
    const connection = open(server.port);
    const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
    connection.send('PUT /_matrix/client/v3/store HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    connection.send(chunk);
    const reply = await connection.until((text) => text.includes('M_TOO_LARGE'));
    expect(lastStatus(reply)).toBe(413);
    expect(reply).toContain('Connection: close');
    connection.send(`${chunk.repeat(1_000)}0\r\n\r\n`);
    await connection.ended();
  });

  it('cuts a connection that goes on sending beyond what is read and thrown away', async () => {
    const limits = { unauthenticatedBodyBytesMax: 1_000, unwantedBodyBytesMax: 100_000 };
    const server = await start({ endpoints: [storeEndpoint], limits });
    const connection = open(server.port);
    connection.send(put(1_000_000_000, ''));
    await connection.until((text) => text.includes('M_TOO_LARGE'));
    const flood = setInterval(() => connection.send('x'.repeat(50_000)), 1);
    closing.push(() => clearInterval(flood));
    await connection.ended();
  });

  it('does not ask for the body of a request that it refuses', async () => {
    const server = await start({});
    const expecting = (token: string): string =>
      'PUT /_matrix/client/v3/rooms/!a:b/send/m.room.message/1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n' +
      `Authorization: Bearer ${token}\r\nContent-Length: 13\r\n\r\n`;
    const refused = open(server.port);
    refused.send(expecting('mallory'));
    const reply = await refused.until((text) => text.includes('M_UNKNOWN_TOKEN'));
    expect(reply).not.toContain('100 Continue');
    const welcome = open(server.port);
    welcome.send(expecting('alice'));
    await welcome.until((text) => text.includes('HTTP/1.1 100 Continue'));
    welcome.send('{"body":"hi"}');
    expect(lastStatus(await welcome.until((text) => text.includes('sender')))).toBe(200);
  });

  it('keeps a connection whose unwanted body has come', async () => {
    const server = await start({});
    const connection = open(server.port);
    connection.send('GET /_matrix/client/v3/nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    await connection.until((text) => text.includes('M_UNRECOGNIZED'));
    connection.send('OPTIONS /_matrix/client/v3/nothing HTTP/1.1\r\nHost: a\r\n\r\n');
    await connection.until((text) => text.includes('HTTP/1.1 204'));
  });
});
