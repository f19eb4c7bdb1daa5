import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { compileServerAcl } from '../../../src/matrix/server-acl/server-acl.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

interface Case {
  readonly origin: string;
  readonly content: JsonObject;
  readonly servers: readonly { readonly server: string; readonly allowed: boolean }[];
}

describeShared('the cases of Synapse, Dendrite and ruma', () => {
  test.each(loadFixture<{ cases: Case[] }>('server-acl/cases.json').cases)(
    '$origin $content',
    ({ content, servers }) => {
      const acl = compileServerAcl(content);
      expect(servers.map(({ server }) => ({ server, allowed: acl.allows(server) }))).toEqual(servers);
    },
  );
});

describe('content that is not what it should be', () => {
  test.each<[string, JsonObject | undefined, boolean]>([
    ['no event', undefined, true],
    ['no lists', {}, false],
    ['allow is no list', { allow: '*' }, false],
    ['entries that are no strings', { allow: [1, null, ['*'], '*'], deny: [{}] }, true],
    ['deny is no list', { allow: ['*'], deny: 'example.org' }, true],
    ['the flag is no boolean', { allow: ['*'], allow_ip_literals: 'false' }, true],
  ])('%s', (_name, content, allowed) => {
    const acl = compileServerAcl(content);
    expect(acl.allows('example.org')).toBe(allowed);
    expect(acl.allows('192.0.2.1:8448')).toBe(allowed);
  });
});

test('a pattern with a port matches nothing, because ports are not considered', () => {
  expect(compileServerAcl({ allow: ['example.org:8448'] }).allows('example.org:8448')).toBe(false);
  expect(compileServerAcl({ allow: ['*'], deny: ['[2001:db8::1]'] }).allows('[2001:db8::1]:8448')).toBe(false);
});
