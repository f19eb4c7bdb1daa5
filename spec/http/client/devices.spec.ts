import { expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { accountsOn, passwordAuth, refusal } from '../../support/test-accounts.ts';

const devicesPath = '/_matrix/client/v3/devices';

describeOnBothEngines('devices over HTTP', (engine) => {
  const start = accountsOn(engine);

  it('are listed and looked at with when and from where they were last seen', async () => {
    const { request, register, logIn, ports } = await start();
    const alice = await register('alice');
    await logIn('alice', { device_id: 'phone', initial_device_display_name: 'Phone' });
    await register('bob');
    const loggedInMs = ports.clock.nowMs();
    await ports.advance(1000);
    const { json } = await request('GET', devicesPath, { user: alice });
    expect(json).toEqual({
      devices: [
        { device_id: alice.deviceId, last_seen_ip: '127.0.0.1', last_seen_ts: loggedInMs + 1000 },
        { device_id: 'phone', display_name: 'Phone', last_seen_ip: '127.0.0.1', last_seen_ts: loggedInMs },
      ],
    });
    expect((await request('GET', `${devicesPath}/phone`, { user: alice })).json).toEqual({
      device_id: 'phone',
      display_name: 'Phone',
      last_seen_ip: '127.0.0.1',
      last_seen_ts: loggedInMs,
    });
    expect(refusal(await request('GET', `${devicesPath}/unknown`, { user: alice }))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await request('GET', devicesPath))).toEqual([401, 'M_MISSING_TOKEN']);
  });

  it('are renamed', async () => {
    const { request, register, wakes } = await start();
    const alice = await register('alice');
    const path = `${devicesPath}/${alice.deviceId}`;
    const put = async (body: object) => request('PUT', path, { user: alice, body: body as never });
    expect((await put({ display_name: 'Laptop' })).json).toEqual({});
    expect((await put({})).json).toEqual({});
    expect((await request('GET', path, { user: alice })).json).toMatchObject({ display_name: 'Laptop' });
    expect(wakes.filter((wake) => wake.kind === 'device' && wake.change === 'renamed')).toHaveLength(1);
    expect(refusal(await put({ display_name: 7 }))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await put({ display_name: 'x'.repeat(101) }))).toEqual([400, 'M_INVALID_PARAM']);
    const unknown = await request('PUT', `${devicesPath}/unknown`, { user: alice, body: { display_name: 'x' } });
    expect(refusal(unknown)).toEqual([404, 'M_NOT_FOUND']);
  });

  it('are deleted with their tokens when the password is given', async () => {
    const { request, register, logIn, wakes } = await start();
    const alice = await register('alice');
    await register('bob', { password: 'the password of bob' });
    const phone = await logIn('alice', { device_id: 'phone' });
    const attempt = (body?: object) =>
      request('DELETE', `${devicesPath}/phone`, {
        user: alice,
        ...(body === undefined ? {} : { body: body as never }),
      });
    const asked = await attempt();
    expect(asked.status).toBe(401);
    expect(asked.json).toEqual({
      flows: [{ stages: ['m.login.password'] }],
      params: {},
      session: expect.any(String) as string,
    });
    const wrong = await attempt({ auth: passwordAuth('alice', 'wrong') });
    expect(refusal(wrong)).toEqual([401, 'M_FORBIDDEN']);
    expect(wrong.json).toMatchObject({ error: 'Invalid password', session: expect.any(String) as string });
    // The same answer for a right guess and a wrong one.
    const ofBob = await attempt({ auth: passwordAuth('@bob:test', 'the password of bob') });
    expect(refusal(ofBob)).toEqual([403, 'M_FORBIDDEN']);
    expect((await attempt({ auth: passwordAuth('@bob:test', 'guessed') })).json).toEqual(ofBob.json);
    expect((await attempt({ auth: passwordAuth('@nobody:test', 'guessed') })).json).toEqual(ofBob.json);
    expect((await request('GET', `${devicesPath}/phone`, { user: alice })).status).toBe(200);

    expect((await attempt({ auth: { ...passwordAuth('alice'), session: asked.json['session'] } })).json).toEqual({});
    expect(refusal(await request('GET', `${devicesPath}/phone`, { user: alice }))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await request('GET', devicesPath, { user: phone }))).toEqual([401, 'M_UNKNOWN_TOKEN']);
    expect(wakes.filter((wake) => wake.kind === 'device' && wake.change === 'removed')).toEqual([
      expect.objectContaining({ deviceId: 'phone', pos: expect.any(Number) as number }),
    ]);
    // "had been removed previously"
    expect((await attempt({ auth: passwordAuth('alice') })).status).toBe(200);
  });

  it('need not be told whose password it is', async () => {
    const { request, register } = await start();
    const alice = await register('alice');
    const auth = { type: 'm.login.password', password: 'sUp3rs3kr1t' };
    const { status } = await request('DELETE', `${devicesPath}/unknown`, { user: alice, body: { auth } });
    expect(status).toBe(200);
  });

  it('are deleted many at a time', async () => {
    const { request, register, logIn } = await start();
    const alice = await register('alice');
    for (const device_id of ['one', 'two', 'three']) await logIn('alice', { device_id });
    const path = '/_matrix/client/v3/delete_devices';
    const { json: asked } = await request('POST', path, { user: alice, body: { devices: ['one', 'two'] } });
    const auth = { ...passwordAuth('alice'), session: asked['session'] };
    expect((await request('POST', path, { user: alice, body: { devices: ['two', 'one'], auth } })).json).toEqual({});
    const { json } = await request('GET', devicesPath, { user: alice });
    expect(json['devices']).toEqual([
      expect.objectContaining({ device_id: alice.deviceId }),
      expect.objectContaining({ device_id: 'three' }),
    ]);
    // What was proven for some devices does not delete others.
    const other = await request('POST', path, { user: alice, body: { devices: ['three'], auth } });
    expect(refusal(other)).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await request('POST', path, { user: alice, body: {} }))).toEqual([400, 'M_MISSING_PARAM']);
    expect(refusal(await request('POST', path, { user: alice, body: { devices: 'one' } }))).toEqual([
      400,
      'M_BAD_JSON',
    ]);
  });

  it('write a row when they were seen, not at each request', async () => {
    const { request, register, db, ports, accounts } = await start();
    const alice = await register('alice');
    const stored = async () =>
      (await db.dynamic((q) => q.selectFrom('device').select('last_seen_ts'))).map((row) => row.last_seen_ts);
    const [atRegistration] = await stored();
    const commits: number[] = [];
    const stop = db.onCommitted(({ pos }) => void commits.push(pos));
    for (let count = 0; count < 20; count++) {
      await request('GET', devicesPath, { user: alice });
      await ports.advance(1000);
    }
    expect(await stored()).toEqual([atRegistration]);
    expect(commits).toEqual([]);
    await ports.advance(limits.deviceSeenWriteMs);
    await db.drained();
    expect(await stored()).toEqual([(atRegistration ?? 0) + 19_000]);
    expect(commits).toHaveLength(1);
    stop();
    await request('GET', devicesPath, { user: alice });
    await accounts.close();
    expect(await stored()).toEqual([ports.clock.nowMs()]);
  });
});
