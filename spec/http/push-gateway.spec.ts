import { describe, expect, it } from 'vitest';
import { useLoopbackServer } from '../support/loopback-server.ts';
import { requestJson } from '../support/test-server.ts';

describe('the push gateway over HTTP', () => {
  const at = useLoopbackServer();
  const path = '/_matrix/push/v1/notify';

  it('says what it is, and by which key browsers know it', async () => {
    const { status, json } = await requestJson(at.url, 'GET', path);
    expect([status, json['unifiedpush']]).toEqual([200, { gateway: 'matrix' }]);
    expect(json['webpush']).toEqual({ vapid: expect.stringMatching(/^B[\w-]{86}$/) });
    expect((await requestJson(at.url, 'GET', path)).json).toEqual(json);
  });

  it('rejects devices that are not of this server', async () => {
    const devices = [{ app_id: 'app', pushkey: 'https://ntfy.example.org/up' }, { app_id: 'app', pushkey: 'x' }, 7];
    const body = { notification: { event_id: '$1', room_id: '!1', devices } };
    const { status, json } = await requestJson(at.url, 'POST', path, { body });
    expect([status, json]).toEqual([200, { rejected: ['https://ntfy.example.org/up', 'x'] }]);
  });

  it('refuses what is no notification', async () => {
    for (const [body, errcode] of [
      [{}, 'M_MISSING_PARAM'],
      [{ notification: [] }, 'M_BAD_JSON'],
    ] as const) {
      const { status, json } = await requestJson(at.url, 'POST', path, { body });
      expect([status, json['errcode']]).toEqual([400, errcode]);
    }
  });
});
