import { expect, it } from 'vitest';
import { AccessTokens } from '../../src/accounts/access-tokens.ts';
import { DeviceActivity } from '../../src/accounts/device-activity.ts';
import { hashToken, mintToken } from '../../src/accounts/token-format.ts';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import { KeyedLock } from '../../src/platform/keyed-lock.ts';
import { limits } from '../../src/platform/limits.ts';
import type { Database, ReadQuery } from '../../src/storage/database.ts';
import { Names } from '../../src/storage/names.ts';
import { deleteAccessTokensOfDevices, insertAccessToken } from '../../src/storage/stores/access-token-store.ts';
import { insertAccount, setAdmin } from '../../src/storage/stores/account-store.ts';
import { insertDevice } from '../../src/storage/stores/device-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { seededRandom, testPorts } from '../support/test-ports.ts';

const options = { allowLocked: false, client: { address: '192.0.2.1', userAgent: 'spec' } };
const random = seededRandom('access tokens');

describeOnBothEngines('access tokens', (engine) => {
  const setUp = async () => {
    const ports = testPorts(1);
    const reads: string[] = [];
    const db = countingReads(await engine.open(), reads);
    const user = await new Names(db).userNid('@alice:test' as UserId);
    const device = db.nextId();
    const token = mintToken('access', random);
    await db.write((unit) => {
      const account = { localpart: 'alice', kind: 'user', userType: null, passwordHash: null, admin: 0, createdTs: 1 };
      unit.run(insertAccount, { user, ...account });
      const seen = { displayName: null, ts: 1, ip: null, userAgent: null };
      unit.run(insertDevice, { device, user, deviceId: 'PHONE', ...seen });
      const fresh = { expiresTs: null, refreshHash: null, createdTs: 1 };
      unit.run(insertAccessToken, { hash: hashToken(token), device, user, ...fresh });
    }).committed;
    const ctx = { db, clock: ports.clock, timers: ports.timers, locks: new KeyedLock<number>() };
    const tokens = new AccessTokens(ctx, new DeviceActivity(ctx));
    reads.length = 0;
    return { ports, db, reads, user, device, token, tokens };
  };
  const unknown = { status: 401, errcode: 'M_UNKNOWN_TOKEN', extra: { soft_logout: false } };

  it('are looked up once and remembered', async () => {
    const { tokens, token, reads, user, device } = await setUp();
    const requester = await tokens.authenticate(token, options);
    expect(requester).toEqual({
      userId: '@alice:test',
      userNid: user,
      deviceId: 'PHONE',
      deviceNid: device,
      isAdmin: false,
      isGuest: false,
      isSuspended: false,
      tokenHash: hashToken(token),
    });
    for (let count = 0; count < 10; count++) expect(await tokens.authenticate(token, options)).toBe(requester);
    expect(reads).toEqual(['accessToken.find']);
  });

  it('are forgotten at the commit that changes what they are worth', async () => {
    const { tokens, token, db, user, device } = await setUp();
    expect((await tokens.authenticate(token, options)).isAdmin).toBe(false);
    await db.write((unit) => {
      unit.run(setAdmin, { user, admin: 1 });
      unit.wake({ kind: 'access', userNid: user });
    }).committed;
    expect((await tokens.authenticate(token, options)).isAdmin).toBe(true);
    await db.write((unit) => {
      unit.run(deleteAccessTokensOfDevices, { devices: [device] });
      unit.wake({ kind: 'access', userNid: user });
    }).committed;
    await expect(tokens.authenticate(token, options)).rejects.toMatchObject(unknown);
  });

  it('are current until something changes what they are worth, or their time is over', async () => {
    const { tokens, token, db, ports, user, device } = await setUp();
    const requester = await tokens.authenticate(token, options);
    expect(tokens.isCurrent(requester)).toBe(true);
    expect(tokens.isCurrent({ ...requester })).toBe(false);
    await db.write((unit) => unit.wake({ kind: 'access', userNid: user })).committed;
    expect(tokens.isCurrent(requester)).toBe(false);
    await tokens.authenticate(token, options);
    expect(tokens.isCurrent(requester)).toBe(false);

    const short = mintToken('access', random);
    const fresh = { expiresTs: ports.clock.nowMs() + 1_000, refreshHash: null, createdTs: 1 };
    await db.write((unit) => unit.run(insertAccessToken, { hash: hashToken(short), device, user, ...fresh })).committed;
    const forAMoment = await tokens.authenticate(short, options);
    expect(tokens.isCurrent(forAMoment)).toBe(true);
    await ports.advance(1_000);
    expect(tokens.isCurrent(forAMoment)).toBe(false);
  });

  it('are not remembered when they changed while they were being looked up', async () => {
    const { tokens, token, db, user, device } = await setUp();
    const inFlight = tokens.authenticate(token, options);
    const removed = db.write((unit) => {
      unit.run(deleteAccessTokensOfDevices, { devices: [device] });
      unit.wake({ kind: 'access', userNid: user });
    });
    await Promise.allSettled([inFlight, removed.committed]);
    await expect(tokens.authenticate(token, options)).rejects.toMatchObject(unknown);
  });

  it('that are unknown are remembered for a few seconds', async () => {
    const { tokens, reads, ports, db, user, device } = await setUp();
    const token = mintToken('access', random);
    for (let count = 0; count < 5; count++)
      await expect(tokens.authenticate(token, options)).rejects.toMatchObject(unknown);
    expect(reads).toHaveLength(1);
    const fresh = { expiresTs: null, refreshHash: null, createdTs: 1 };
    await db.write((unit) => unit.run(insertAccessToken, { hash: hashToken(token), device, user, ...fresh })).committed;
    await ports.advance(limits.unknownTokenMs);
    expect((await tokens.authenticate(token, options)).userId).toBe('@alice:test');
  });

  it('that are garbage cost no look-up', async () => {
    const { tokens, token, reads } = await setUp();
    const altered = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
    for (const garbage of [altered, 'x'.repeat(5000)])
      await expect(tokens.authenticate(garbage, options)).rejects.toMatchObject(unknown);
    expect(reads).toEqual([]);
  });

  it('are no longer followed once closed', async () => {
    const { tokens, token, db, user, reads } = await setUp();
    await tokens.authenticate(token, options);
    tokens.close();
    await db.write((unit) => unit.wake({ kind: 'access', userNid: user })).committed;
    await tokens.authenticate(token, options);
    expect(reads).toHaveLength(1);
  });
});

/** The same database, with the names of its reads noted. */
function countingReads(db: Database, reads: string[]): Database {
  return new Proxy(db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (name === 'one' || name === 'all') reads.push((args[0] as ReadQuery<unknown, unknown>).name);
        return Reflect.apply(value, target, args);
      };
    },
  });
}
