import { afterEach, expect, it } from 'vitest';
import { Destinations } from '../../../src/federation/client/destinations.ts';
import type { FederationRequest } from '../../../src/federation/contract.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { limits } from '../../../src/platform/limits.ts';
import { OutgoingHttpError } from '../../../src/platform/outgoing-http-error.ts';
import type { OutgoingHttp, OutgoingResponse } from '../../../src/platform/ports.ts';
import type { Database } from '../../../src/storage/database.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testFederation, type TestFederation } from '../../support/test-federation.ts';
import { testEpochMs, testPorts } from '../../support/test-ports.ts';

const peer = 'peer.test' as ServerName;
type Answer = Partial<OutgoingResponse> | OutgoingHttpError;
const down = new OutgoingHttpError('connection', 'connect ECONNREFUSED');
const json = (value: object, status = 200): Answer => ({ status, body: Buffer.from(JSON.stringify(value)) });

describeOnBothEngines('requests to other servers', (engine) => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  const start = async (given: { answer: Answer; asked: number }, db?: Database): Promise<TestFederation> => {
    const http: OutgoingHttp = {
      async request({ url }) {
        if (url.includes('/.well-known/')) return { status: 404, headers: {}, body: Buffer.alloc(0) };
        given.asked += 1;
        if (given.answer instanceof OutgoingHttpError) throw given.answer;
        return { status: 200, headers: {}, body: Buffer.alloc(0), ...given.answer };
      },
    };
    const federation = await testFederation(db ?? (await engine.open()), http, { ports: testPorts(1, { http }) });
    closing.push(() => federation.close());
    return federation;
  };
  const ask = ({ client }: TestFederation, more: Partial<FederationRequest> = {}) =>
    client.request({ destination: peer, method: 'GET', path: '/_matrix/federation/v1/version', ...more });

  it('wait twice as long after each failure, by chance a little less, and start anew after an answer', async () => {
    const given: { answer: Answer; asked: number } = { answer: down, asked: 0 };
    const federation = await start(given);
    const { ports, destinations } = federation;
    const waits: number[] = [];
    for (let times = 0; times < 16; times++) {
      await expect(ask(federation)).rejects.toMatchObject({ failure: 'unreachable', destination: peer });
      const waitMs = destinations.retryInMs(peer);
      waits.push(waitMs);
      await expect(ask(federation)).rejects.toMatchObject({ failure: 'backing-off' });
      await ports.advance(waitMs);
    }
    expect(given.asked).toBe(16);
    for (const [index, waitMs] of waits.entries()) {
      const wholeMs = Math.min(limits.destinationRetryMsMax, limits.destinationRetryMs * 2 ** index);
      expect(waitMs).toBeGreaterThan(wholeMs * 0.74);
      expect(waitMs).toBeLessThanOrEqual(wholeMs);
    }
    expect(new Set(waits.slice(-4)).size).toBeGreaterThan(1);
    given.answer = json({ ok: true });
    expect(await ask(federation)).toEqual({ ok: true });
    expect(destinations.findFailing(peer)).toBe(undefined);
    given.answer = down;
    await expect(ask(federation)).rejects.toMatchObject({ failure: 'unreachable' });
    expect(destinations.retryInMs(peer)).toBeLessThanOrEqual(limits.destinationRetryMs);
  });

  it('are made all the same when somebody waits, without making it worse', async () => {
    const given: { answer: Answer; asked: number } = { answer: down, asked: 0 };
    const federation = await start(given);
    for (let times = 0; times < 5; times++)
      await expect(ask(federation, { isUrgent: true })).rejects.toMatchObject({ failure: 'unreachable' });
    expect(federation.destinations.findFailing(peer)).toMatchObject({ failures: 1, lastError: down.message });
    given.answer = json({});
    await ask(federation, { isUrgent: true });
    expect(federation.destinations.retryInMs(peer)).toBe(0);
  });

  it('remember across a restart who fails, since when and why, until that server is heard from', async () => {
    const db = await engine.open();
    const first = await start({ answer: down, asked: 0 }, db);
    await expect(ask(first)).rejects.toMatchObject({ failure: 'unreachable' });
    await first.destinations.close();
    const second = await start({ answer: down, asked: 0 }, db);
    const { destinations } = second;
    expect(destinations.findFailing(peer)).toMatchObject({
      failures: 1,
      failingSinceTs: testEpochMs,
      lastError: down.message,
    });
    await expect(ask(second)).rejects.toThrow(/ECONNREFUSED/);
    const recovered: ServerName[] = [];
    destinations.onRecovered((server) => void recovered.push(server));
    destinations.heardFrom('other.test' as ServerName);
    destinations.heardFrom(peer);
    destinations.heardFrom(peer);
    expect(recovered).toEqual([peer]);
    expect(destinations.retryInMs(peer)).toBe(0);
    await destinations.close();
    const loaded = await Destinations.load({ ...second.ports, db, onFailed: (error) => expect(error).toBe(undefined) });
    expect(loaded.failing().size).toBe(0);
    expect(await loaded.load(peer)).toMatchObject({ failures: 0, lastSuccessTs: undefined });
  });

  it('write down a success rarely, and know when it was', async () => {
    const given = { answer: json({}), asked: 0 };
    const federation = await start(given);
    const { destinations, ports } = federation;
    await ask(federation);
    await ports.advance(1_000);
    await ask(federation);
    await destinations.close();
    expect((await destinations.load(peer))?.lastSuccessTs).toBe(testEpochMs);
    expect(await destinations.load('never.test' as ServerName)).toBe(undefined);
  });

  it.each<[string, Answer, object, number]>([
    [
      '404',
      json({ errcode: 'M_NOT_FOUND', error: 'x' }, 404),
      { failure: 'answered', status: 404, errcode: 'M_NOT_FOUND' },
      0,
    ],
    ['401', json({ errcode: 'M_UNAUTHORIZED' }, 401), { failure: 'answered', status: 401 }, 0],
    ['500 without JSON', { status: 500, body: Buffer.from('<html>') }, { failure: 'answered', status: 500 }, 1],
    [
      '429',
      json({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 900_000 }, 429),
      { failure: 'answered', status: 429 },
      1,
    ],
    ['a redirect', { status: 302 }, { failure: 'answered', status: 302 }, 0],
    ['no JSON', { body: Buffer.from('hello') }, { failure: 'unusable' }, 0],
    ['a list', json([]), { failure: 'unusable' }, 0],
    ['too much', new OutgoingHttpError('too_large', 'large'), { failure: 'unusable' }, 0],
    ['no certificate', new OutgoingHttpError('tls', 'expired'), { failure: 'unreachable' }, 1],
    [
      'an address that may not be reached',
      new OutgoingHttpError('refused_address', 'private'),
      { failure: 'refused' },
      0,
    ],
  ])('say what %s means', async (_title, answer, error, failures) => {
    const federation = await start({ answer, asked: 0 });
    await expect(ask(federation)).rejects.toMatchObject(error);
    expect(federation.destinations.findFailing(peer)?.failures ?? 0).toBe(failures);
    if (failures > 0 && 'status' in answer && answer.status === 429)
      expect(federation.destinations.retryInMs(peer)).toBe(900_000);
  });

  it('do not go to this server itself, nor where it is not wanted', async () => {
    const given = { answer: json({}), asked: 0 };
    const federation = await start(given);
    await expect(ask(federation, { destination: 'test' as ServerName })).rejects.toMatchObject({ failure: 'refused' });
    const aborted = AbortSignal.abort(new Error('no more'));
    given.answer = new OutgoingHttpError('aborted', 'aborted');
    await expect(ask(federation, { signal: aborted })).rejects.toThrow('no more');
    expect(federation.destinations.findFailing(peer)).toBe(undefined);
  });
});
