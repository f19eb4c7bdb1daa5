import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { TestClient } from '../../support/test-client.ts';
import { requestJson } from '../../support/test-server.ts';

describe('POST /_veche/admin/v1/reload', () => {
  const listeners = '[{ bind: 127.0.0.1, port: 0, serve: [client, admin] }]';
  const loopback = useLoopbackServer({ config: { listeners } });
  const reload = (token: string | undefined) =>
    requestJson(loopback.url, 'POST', '/_veche/admin/v1/reload', { token, body: {} });
  const partner = 'partner.example' as ServerName;

  it('lets what was changed count, and says what that was', async () => {
    const admin = await TestClient.registerAdministrator(loopback);
    const { policy } = loopback.server.federation;
    expect(policy.maySendTo(partner)).toBe(true);
    loopback.writeConfig({
      federation: '{ deny: { outgoing: [partner.example] } }',
      registration: '{ enabled: false }',
      log: '{ level: fatal }',
      rate_limits: '{ enabled: true, read: { per_second: 0.001, burst: 2 } }',
    });
    const { status, json } = await reload(admin.token);
    expect({ status, json }).toEqual({
      status: 200,
      json: {
        changed: [
          'registration.enabled',
          'rate_limits.enabled',
          'rate_limits.read.per_second',
          'rate_limits.read.burst',
          'federation.deny.outgoing',
          'log.level',
        ],
      },
    });
    expect([policy.maySendTo(partner), policy.mayReceiveFrom(partner)]).toEqual([false, true]);
    expect(loopback.server.log.level).toBe('fatal');
    const body = { auth: { type: 'm.login.dummy' }, username: 'late', password: 'sUp3rs3kr1t' };
    const late = await requestJson(loopback.url, 'POST', '/_matrix/client/v3/register', { body });
    expect([late.status, late.json['errcode']]).toEqual([403, 'M_FORBIDDEN']);
    const versions = () => requestJson(loopback.url, 'GET', '/_matrix/client/v3/profile/@nobody:localhost');
    const statuses = [await versions(), await versions(), await versions()].map((answer) => answer.status);
    expect(statuses).toEqual([404, 404, 429]);
  });

  it('changes nothing where there is a mistake, or a key that needs a restart', async () => {
    const admin = await TestClient.registerAdministrator(loopback);
    const { policy } = loopback.server.federation;
    const federation = '{ deny: { both: [partner.example] } }';
    loopback.writeConfig({ federation, log: '{ level: loud }' });
    const mistaken = await reload(admin.token);
    expect(mistaken).toMatchObject({ status: 400, json: { errcode: 'ORG.VECHE.NOT_RELOADED' } });
    expect(mistaken.json['error']).toContain('log.level: must be one of');
    loopback.writeConfig({ federation, presence: '{ enabled: false }' });
    const fixed = await reload(admin.token);
    expect(fixed.status).toBe(400);
    expect(fixed.json['error']).toBe('nothing was reloaded: presence.enabled can only be changed by a restart');
    expect(policy.maySendTo(partner)).toBe(true);
    loopback.writeConfig({ federation });
    expect((await reload(admin.token)).json).toEqual({ changed: ['federation.deny.both'] });
    expect(policy.maySendTo(partner)).toBe(false);
  });

  it('is for administrators', async () => {
    const alice = await TestClient.register(loopback, 'alice');
    expect((await reload(alice.token)).status).toBe(403);
    expect((await reload(undefined)).status).toBe(401);
  });
});

describe('SIGHUP', () => {
  let server: ServerProcess | undefined;
  afterEach(() => server?.close());

  const said = async (text: string): Promise<void> => {
    await expect.poll(() => server?.output ?? '', { timeout: 60_000, interval: 20 }).toContain(text);
  };

  it('reads the configuration of a running process again, and keeps the old one where the new one is not valid', async () => {
    server = await ServerProcess.start({ command: 'start', environment: { VECHE_LOG__FORMAT: 'json' } });
    const file = join(server.folder, 'config.yaml');
    await server.stop();
    writeFileSync(file, 'registration: { enabled: true }');
    await server.start(['--config', file]);
    const register = async (username: string) => {
      const body = { auth: { type: 'm.login.dummy' }, username, password: 'sUp3rs3kr1t' };
      return (await requestJson(server?.url ?? '', 'POST', '/_matrix/client/v3/register', { body })).status;
    };
    expect(await register('alice')).toBe(200);

    writeFileSync(file, 'registration: { enabled: maybe }');
    process.kill(server.pid, 'SIGHUP');
    await said('registration.enabled: must be true or false');
    expect(await register('bob')).toBe(200);

    writeFileSync(file, 'registration: { enabled: false }');
    process.kill(server.pid, 'SIGHUP');
    await said('"changed":["registration.enabled"]');
    expect(await register('carol')).toBe(403);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });
});
