import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger, withRequestId } from '../../src/platform/log.ts';
import { testEpochMs, testPorts } from '../support/test-ports.ts';

function logger(level: 'info' | 'silent' = 'info') {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { log: createLogger({ level, format: 'json' }, { clock: testPorts().clock, destination }), lines };
}

describe('the log', () => {
  it('is JSON lines with level, time and message', () => {
    const { log, lines } = logger();
    log.info({ roomId: '!a:b' }, 'joined');
    log.debug('not at this level');
    expect(lines).toEqual([{ level: 30, time: testEpochMs, roomId: '!a:b', msg: 'joined' }]);
  });

  it('is nothing when silent', () => {
    const { log, lines } = logger('silent');
    log.fatal('?');
    expect(lines).toEqual([]);
  });

  it('carries the id of the request in whose course something is logged', async () => {
    const { log, lines } = logger();
    const work = async (name: string): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      log.info(name);
    };
    await Promise.all([withRequestId('1', () => work('a')), withRequestId('2', () => work('b')), work('c')]);
    expect(lines.map(({ msg, requestId }) => `${msg} ${requestId}`)).toEqual(['a 1', 'b 2', 'c undefined']);
  });

  it('has errors with their causes', () => {
    const { log, lines } = logger();
    log.error({ err: new Error('failed', { cause: new Error('disk full') }) }, 'request failed');
    expect(lines[0]).toMatchObject({ msg: 'request failed', err: { type: 'Error', message: 'failed: disk full' } });
  });

  it('has no secrets, wherever they stand', () => {
    const { log, lines } = logger();
    const secret = 'hunter2-hunter2-hunter2';
    log.info({ url: `/sync?since=s1&access_token=${secret}&timeout=0` }, `GET /x?access_token=${secret}`);
    log.info({ headers: { authorization: `Bearer ${secret}`, cookie: `session=${secret}` } }, `sent Bearer ${secret}`);
    log.info({ body: { auth: { type: 'm.login.password', password: `a"${secret}` }, new_password: secret } }, 'body');
    log.info(`text: ${JSON.stringify({ user: 'a', password: secret, refresh_token: secret })}`);
    log.warn({ err: new Error(`connect postgres://veche:${secret}@localhost/db failed`) }, 'database');
    log.info(`token vca_${'Ab0-'.repeat(8)}checks`);
    const text = JSON.stringify(lines);
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('Ab0-');
    expect(lines[0]).toMatchObject({ url: '/sync?since=s1&access_token=[secret]&timeout=0' });
    expect(lines[2]).toMatchObject({ body: { auth: { type: 'm.login.password', password: '[secret]' } } });
    expect(lines[3]?.['msg']).toBe('text: {"user":"a","password":"[secret]","refresh_token":"[secret]"}');
    expect(lines[4]).toMatchObject({ err: { message: 'connect postgres://veche:[secret]@localhost/db failed' } });
  });

  it.each([
    'p@hunter2',
    'p/hunter2',
    'p@a/hunter2@b:c/d',
    '@hunter2@',
    'p?hunter2#a',
    'p:hunter2',
    'p\\\\@hunter2',
    'p"@hunter2',
    '%40hunter2',
  ])('has nothing of a database password that is not encoded as it should be: %s', (password) => {
    const { log, lines } = logger();
    for (const scheme of ['postgres', 'postgresql'])
      log.warn({ err: new Error(`connect ${scheme}://veche:${password}@localhost/db failed`) }, 'database');
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    expect(lines[1]).toMatchObject({ err: { message: 'connect postgresql://veche:[secret]@localhost/db failed' } });
  });

  it('has nothing of the password of another URL up to its path', () => {
    const { log, lines } = logger();
    log.info('GET https://me:p@hunter2@example.org/@a:b failed');
    expect(lines[0]).toMatchObject({ msg: 'GET https://me:[secret]@example.org/@a:b failed' });
  });

  it('leaves other lines as they are', () => {
    const { log, lines } = logger();
    const text = 'GET https://example.org:8448/_matrix/x?since=s1_2 "quoted" \\ @a:b.example 10:20';
    log.info({ tokens: 5, path: '/login' }, text);
    expect(lines[0]).toMatchObject({ tokens: 5, path: '/login', msg: text });
  });

  it('goes to any stream', async () => {
    const stream = new PassThrough();
    const line = new Promise<string>((resolve) => stream.once('data', (chunk: Buffer) => resolve(String(chunk))));
    createLogger({ level: 'info', format: 'json' }, { clock: testPorts().clock, destination: stream }).info('hello');
    expect(await line).toContain('"msg":"hello"');
  });
});
