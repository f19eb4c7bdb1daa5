import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  InteractiveAuth,
  InteractiveAuthRequired,
  type Operation,
  StageFailed,
} from '../../src/accounts/interactive-auth.ts';
import { stableText } from '../../src/accounts/stable-text.ts';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { limits } from '../../src/platform/limits.ts';
import { testPorts } from '../support/test-ports.ts';

const dummy: Operation = {
  name: 'register',
  parameters: { username: 'alice', password: 'secret' },
  requester: undefined,
  flows: [['m.login.dummy']],
};
const password: Operation = {
  name: 'deleteDevice',
  parameters: { deviceId: 'ABC' },
  requester: { userNid: 7, userId: '@alice:test' as UserId },
  flows: [['m.login.password']],
};
const twoStages: Operation = { ...dummy, flows: [['m.login.registration_token', 'm.login.dummy']] };

function setUp() {
  const ports = testPorts(1);
  const released: string[] = [];
  const auth = new InteractiveAuth(
    {
      'm.login.dummy': () => Promise.resolve({}),
      'm.login.password': ({ password: given }) =>
        given === 'right'
          ? Promise.resolve({ userNid: 7 })
          : Promise.reject(new StageFailed('M_FORBIDDEN', 'Invalid password')),
      'm.login.registration_token': ({ token }) =>
        token === 'good'
          ? Promise.resolve({ registrationToken: { token, release: () => void released.push(token) } })
          : Promise.reject(new StageFailed('M_UNAUTHORIZED', 'Invalid registration token')),
    },
    ports.clock,
    ports.random,
  );
  /** The body of the 401. */
  const challenged = async (operation: Operation, data: JsonObject | undefined): Promise<JsonObject> => {
    try {
      await auth.authorise(operation, data);
    } catch (error) {
      if (!(error instanceof InteractiveAuthRequired)) throw error;
      expect(error.status).toBe(401);
      return error.body();
    }
    throw new Error('the request was authorised');
  };
  return { ports, auth, challenged, released };
}

describe('InteractiveAuth', () => {
  it('asks without an error first, and names flows, params and session', async () => {
    const { challenged } = setUp();
    expect(await challenged(dummy, undefined)).toEqual({
      flows: [{ stages: ['m.login.dummy'] }],
      params: {},
      session: expect.stringMatching(/^[\w-]{24}$/) as string,
    });
    expect(await challenged(dummy, {})).not.toHaveProperty('errcode');
  });

  it('authorises when the only stage is completed, with the session or without one', async () => {
    const { auth, challenged } = setUp();
    await expect(auth.authorise(dummy, { type: 'm.login.dummy' })).resolves.toMatchObject({ outcome: undefined });
    const { session } = await challenged(password, undefined);
    const authorised = await auth.authorise(password, { type: 'm.login.password', session, password: 'right' });
    expect(authorised.userNid).toBe(7);
  });

  it('keeps the session through a failed stage and a stage that is not in any flow', async () => {
    const { auth, challenged } = setUp();
    const { session } = await challenged(password, undefined);
    expect(await challenged(password, { type: 'm.login.password', session, password: 'wrong' })).toEqual({
      errcode: 'M_FORBIDDEN',
      error: 'Invalid password',
      flows: [{ stages: ['m.login.password'] }],
      params: {},
      session,
    });
    expect(await challenged(password, { type: 'm.login.sso', session })).toMatchObject({
      errcode: 'M_FORBIDDEN',
      session,
    });
    await auth.authorise(password, { type: 'm.login.password', session, password: 'right' });
  });

  it('gives a session to a client that began with a wrong password', async () => {
    const { auth, challenged } = setUp();
    const { session } = await challenged(password, { type: 'm.login.password', password: 'wrong' });
    await auth.authorise(password, { type: 'm.login.password', session, password: 'right' });
  });

  it('demands the stages of a flow in order and tells which are completed', async () => {
    const { auth, challenged } = setUp();
    const { session } = await challenged(twoStages, undefined);
    const early = await challenged(twoStages, { type: 'm.login.dummy', session });
    expect(early).toMatchObject({ errcode: 'M_FORBIDDEN', session });
    expect(early).not.toHaveProperty('completed');
    const token = { type: 'm.login.registration_token', token: 'good', session };
    const next = await challenged(twoStages, token);
    expect(next).toMatchObject({ completed: ['m.login.registration_token'], session });
    expect(next).not.toHaveProperty('errcode');
    // A completed stage is not tried again, and a request without a type asks how far it got.
    expect(await challenged(twoStages, token)).toEqual(next);
    expect(await challenged(twoStages, { session })).toEqual(next);
    await auth.authorise(twoStages, { type: 'm.login.dummy', session });
  });

  it('binds the session to operation and requester at once', async () => {
    const { auth, challenged } = setUp();
    const { session } = await challenged(password, undefined);
    const right = { type: 'm.login.password', session, password: 'right' };
    const other = { userNid: 8, userId: '@bob:test' as UserId };
    const refused = { status: 403, errcode: 'M_FORBIDDEN' };
    await expect(auth.authorise({ ...password, name: 'changePassword' }, right)).rejects.toMatchObject(refused);
    await expect(auth.authorise({ ...password, requester: other }, right)).rejects.toMatchObject(refused);
    await expect(auth.authorise({ ...password, requester: undefined }, right)).rejects.toMatchObject(refused);
    await auth.authorise(password, right);
  });

  it('binds it to the parameters from the first completed stage on, not before', async () => {
    const { auth, challenged } = setUp();
    // Clients ask for the flows with an empty body.
    const { session } = await challenged({ ...twoStages, parameters: {} }, undefined);
    await challenged(twoStages, { type: 'm.login.registration_token', token: 'good', session });
    const changed = { ...twoStages, parameters: { username: 'mallory', password: 'secret' } };
    await expect(auth.authorise(changed, { type: 'm.login.dummy', session })).rejects.toMatchObject({
      status: 403,
      errcode: 'M_FORBIDDEN',
    });
    const reordered = { ...twoStages, parameters: { password: 'secret', username: 'alice' } };
    await auth.authorise(reordered, { type: 'm.login.dummy', session });
  });

  it('begins anew when the session is unknown or expired', async () => {
    const { auth, challenged, ports } = setUp();
    const unknown = await challenged(password, { type: 'm.login.password', session: 'nope', password: 'right' });
    expect(unknown).toMatchObject({ errcode: 'M_UNKNOWN', flows: [{ stages: ['m.login.password'] }] });
    expect(unknown['session']).not.toBe('nope');
    const { session } = await challenged(password, undefined);
    await ports.advance(limits.interactiveSessionMs);
    const late = await challenged(password, { type: 'm.login.password', session, password: 'right' });
    expect(late).toMatchObject({ errcode: 'M_UNKNOWN' });
    await auth.authorise(password, { type: 'm.login.password', session: late['session'], password: 'right' });
  });

  it('answers a repeated request by what the first one made', async () => {
    const { auth, challenged } = setUp();
    const { session } = await challenged(dummy, undefined);
    expect(auth.findOutcome(dummy, { session })).toBeUndefined();
    (await auth.authorise(dummy, { type: 'm.login.dummy', session })).succeeded('@alice:test');
    expect(auth.findOutcome(dummy, { session })).toBe('@alice:test');
    expect((await auth.authorise(dummy, { type: 'm.login.dummy', session })).outcome).toBe('@alice:test');
    expect((await auth.authorise(dummy, { session })).outcome).toBe('@alice:test');
    expect(() => auth.findOutcome({ ...dummy, parameters: {} }, { session })).toThrow(/another request/);
  });

  it('lets a single-use session succeed once', async () => {
    const { auth, challenged } = setUp();
    const once = { ...password, isSingleUse: true };
    const { session } = await challenged(once, undefined);
    const right = { type: 'm.login.password', session, password: 'right' };
    (await auth.authorise(once, right)).succeeded();
    expect(await challenged(once, right)).toMatchObject({ errcode: 'M_UNKNOWN' });
  });

  it('releases a registration token when it succeeded, was abandoned or expired', async () => {
    const { auth, challenged, ports, released } = setUp();
    const tokenOnly: Operation = { ...dummy, flows: [['m.login.registration_token']] };
    const token = { type: 'm.login.registration_token', token: 'good' };
    (await auth.authorise(tokenOnly, token)).succeeded();
    expect(released).toHaveLength(1);
    (await auth.authorise(tokenOnly, token)).abandoned();
    expect(released).toHaveLength(2);
    const { session } = await challenged(twoStages, token);
    await ports.advance(limits.interactiveSessionMs);
    await challenged(twoStages, { session });
    expect(released).toHaveLength(3);
  });

  it('forgets the oldest session when there are too many', async () => {
    const { auth, challenged, released } = setUp();
    const { session } = await challenged(twoStages, { type: 'm.login.registration_token', token: 'good' });
    for (let count = 0; count < limits.interactiveSessionsMax; count++) await challenged(dummy, undefined);
    expect(released).toHaveLength(1);
    await expect(auth.authorise(twoStages, { type: 'm.login.dummy', session })).rejects.toMatchObject({
      errcode: 'M_UNKNOWN',
    });
  });
});

describe('stableText', () => {
  it('tells JSON values apart and nothing else', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([key, inner]) => [key, reversed(inner)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(stableText(reversed(value) as typeof value)).toBe(stableText(value));
        // The sign of zero is lost in JSON.
        expect(JSON.parse(stableText(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
