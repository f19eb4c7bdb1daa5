import { describe, expect, it } from 'vitest';
import { FederationPolicy, type FederationPolicySettings } from '../../../src/federation/policy/federation-policy.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { Metrics } from '../../../src/platform/metrics.ts';

const none = { both: [], incoming: [], outgoing: [] };
const policyOf = (settings: Partial<FederationPolicySettings>, metrics = new Metrics({ process: false })) =>
  new FederationPolicy({ enabled: true, allow: undefined, deny: none, ...settings }, metrics);
/** What may go in, and what may go out. */
const mayTalk = (policy: FederationPolicy, server: string): readonly boolean[] => {
  const passes = (assert: () => void): boolean => {
    try {
      assert();
      return true;
    } catch (error) {
      expect(error).toMatchObject(
        error instanceof Error && error.name === 'MatrixError'
          ? { status: 403, errcode: 'M_FORBIDDEN' }
          : { failure: 'refused' },
      );
      return false;
    }
  };
  const name = server as ServerName;
  const found = [passes(() => policy.assertMayReceiveFrom(name)), passes(() => policy.assertMaySendTo(name))];
  expect([policy.mayReceiveFrom(name), policy.maySendTo(name)]).toEqual(found);
  return found;
};

describe('FederationPolicy', () => {
  it('lets everybody talk, or nobody', () => {
    expect(mayTalk(policyOf({}), 'a.example')).toEqual([true, true]);
    expect(mayTalk(policyOf({ enabled: false }), 'a.example')).toEqual([false, false]);
  });

  it('knows directions, and what is denied is denied', () => {
    const policy = policyOf({
      allow: { both: ['*.gov.example', 'partner.example'], incoming: ['in.example'], outgoing: ['out.example'] },
      deny: { both: ['bad.gov.example'], incoming: [], outgoing: ['partner.example'] },
    });
    expect(mayTalk(policy, 'tax.gov.example')).toEqual([true, true]);
    expect(mayTalk(policy, 'TAX.gov.EXAMPLE')).toEqual([true, true]);
    expect(mayTalk(policy, 'gov.example')).toEqual([false, false]);
    expect(mayTalk(policy, 'bad.gov.example')).toEqual([false, false]);
    expect(mayTalk(policy, 'partner.example')).toEqual([true, false]);
    expect(mayTalk(policy, 'in.example')).toEqual([true, false]);
    expect(mayTalk(policy, 'out.example')).toEqual([false, true]);
    expect(mayTalk(policy, 'other.example')).toEqual([false, false]);
  });

  it('takes a pattern without a port for every port', () => {
    const policy = policyOf({ deny: { ...none, both: ['bad.example', 'worse.example:1', '[2001:db8::*]'] } });
    expect(mayTalk(policy, 'bad.example:8448')).toEqual([false, false]);
    expect(mayTalk(policy, 'worse.example:1')).toEqual([false, false]);
    expect(mayTalk(policy, 'worse.example:2')).toEqual([true, true]);
    expect(mayTalk(policy, '[2001:db8::1]:8448')).toEqual([false, false]);
    expect(mayTalk(policy, 'notbad.example')).toEqual([true, true]);
  });

  it('allows nobody by empty lists', () => {
    expect(mayTalk(policyOf({ allow: none }), 'a.example')).toEqual([false, false]);
  });

  it('counts its refusals, and can be replaced', async () => {
    const metrics = new Metrics({ process: false });
    const policy = policyOf({ deny: { ...none, incoming: ['a.example'] } }, metrics);
    mayTalk(policy, 'a.example');
    policy.replace({ enabled: true, allow: none, deny: none });
    mayTalk(policy, 'a.example');
    const text = await metrics.text();
    const count = (direction: string, reason: string): string | undefined =>
      new RegExp(`refusals_total\\{direction="${direction}",reason="${reason}"\\} (\\d+)`).exec(text)?.[1];
    expect([count('incoming', 'denied'), count('incoming', 'not_allowed'), count('outgoing', 'not_allowed')]).toEqual([
      '1',
      '1',
      '1',
    ]);
  });
});
