import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import {
  compileInvitePermission,
  everybodyMayInvite,
} from '../../../src/matrix/invite-permission/invite-permission.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { canonicalObject } from '../../support/arbitrary-json.ts';

const bob = '@bob:hs2.example' as UserId;
const eve = '@eve:hs2.example:8448' as UserId;
const decide = (filtering: JsonObject, inviter = bob): string => compileInvitePermission([], filtering).decide(inviter);

describe('who may invite', () => {
  it('is everybody as long as nothing is said', () => {
    expect(compileInvitePermission([], undefined)).toBe(everybodyMayInvite);
    expect(compileInvitePermission([{}, { default_action: 'else' }, { default_action: true }], {}).decide(bob)).toBe(
      'allow',
    );
  });

  it('is nobody where that is the default', () => {
    const permission = compileInvitePermission([{}, { default_action: 'block' }], { allowed_users: ['@bob:*'] });
    expect(permission.decide(bob)).toBe('block');
  });

  it.each<[string, JsonObject, string, string]>([
    ['one user', { blocked_users: ['@bob:hs2.example'] }, 'block', 'allow'],
    ['a user, unnoticed', { ignored_users: ['@bob:hs2.example'] }, 'ignore', 'allow'],
    ['a server, whatever its port', { blocked_servers: ['hs2.example'] }, 'block', 'block'],
    ['servers alike', { ignored_servers: ['hs?.*'] }, 'ignore', 'ignore'],
    ['users alike', { blocked_users: ['@e*'] }, 'allow', 'block'],
    ['all but one of a server', { allowed_users: [bob], blocked_servers: ['*'] }, 'allow', 'block'],
    [
      'one of a welcome server',
      { blocked_users: [eve], allowed_servers: ['hs2.example'], blocked_servers: ['*'] },
      'allow',
      'block',
    ],
    [
      'none who is named twice',
      { allowed_users: [bob, eve], ignored_users: [bob], blocked_users: [eve] },
      'allow',
      'allow',
    ],
    ['none while it is switched off', { enabled: false, blocked_servers: ['*'] }, 'allow', 'allow'],
    ['none with empty fields', { allowed_users: null, blocked_users: null, blocked_servers: null }, 'allow', 'allow'],
    ['none where a list is none', { blocked_servers: ['*'], allowed_users: 'bob' }, 'allow', 'allow'],
    ['none where an entry is no text', { blocked_servers: ['*', 1] }, 'allow', 'allow'],
    ['none where the switch is none', { enabled: 'yes', blocked_servers: ['*'] }, 'allow', 'allow'],
  ])('leaves out %s', (_title, content, ofBob, ofEve) => {
    expect([decide(content), decide(content, eve)]).toEqual([ofBob, ofEve]);
  });

  it('is an answer, whatever was stored', () => {
    fc.assert(
      fc.property(canonicalObject, canonicalObject, (blocking, filtering) => {
        expect(['allow', 'ignore', 'block']).toContain(compileInvitePermission([blocking], filtering).decide(bob));
      }),
    );
  });
});
