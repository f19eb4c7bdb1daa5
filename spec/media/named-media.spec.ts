import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMxcUri } from '../../src/matrix/ids/mxc-uri.ts';
import { mayNameMedia, mediaNamedIn } from '../../src/media/references/named-media.ts';
import { limits } from '../../src/platform/limits.ts';
import { canonicalValue } from '../support/arbitrary-json.ts';

describe('files that an event names', () => {
  const named = (content: Parameters<typeof mediaNamedIn>[0]): string[] => mediaNamedIn(content).map(formatMxcUri);

  it.each([
    ['a message', { url: 'mxc://a.b/one', info: { thumbnail_url: 'mxc://a.b:8448/two' } }, ['one', ':8448/two']],
    ['encrypted files', { file: { url: 'mxc://a/x' }, info: { thumbnail_file: { url: 'mxc://a/y' } } }, ['x', 'y']],
    ['pictures', { membership: 'join', avatar_url: 'mxc://[::1]:80/a_-B' }, ['a_-B']],
    ['HTML', { formatted_body: '<img src="mxc://a/1"><img src=mxc://a/2><p>mxc://a/3</p>' }, ['1', '2', '3']],
    ['extensible events', { 'm.file': { url: 'mxc://a/f' }, 'm.thumbnail': [{ url: 'mxc://a/t' }] }, ['f', 't']],
    ['emoticons', { images: { smile: { url: 'mxc://a/s' } }, pack: { avatar_url: 'mxc://a/p' } }, ['s', 'p']],
    ['one twice', { url: 'mxc://a/1', body: 'mxc://a/1' }, ['1']],
  ])('are found in %s', (_what, content, ids) => {
    expect(mayNameMedia(content)).toBe(true);
    const found = named(content);
    expect(found).toHaveLength(ids.length);
    for (const id of ids) expect(found.some((uri) => uri.endsWith(id))).toBe(true);
  });

  it.each([
    [{ body: 'nothing', url: 'https://a/b' }],
    [{ url: 'mxc://a' }],
    [{ url: 'mxc:///b' }],
    [{ url: `mxc://a/${'x'.repeat(256)}` }],
    [{ url: `mxc://${'a'.repeat(256)}/x` }],
    [{ url: 'MXC://a/b', n: 1, b: [null, true] }],
    [{}],
  ])('are none in %j', (content) => expect(named(content)).toEqual([]));

  it('are bounded', () => {
    const body = Array.from({ length: limits.mediaReferencesMax * 2 }, (_, i) => `mxc://a/${i}`).join(' ');
    expect(named({ body, more: [body] })).toHaveLength(limits.mediaReferencesMax);
  });

  it('are found wherever they stand', () => {
    fc.assert(
      fc.property(canonicalValue, fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/), (json, id) => {
        const uri = `mxc://example.org/${id}`;
        expect(named({ a: [json, { b: uri }] })).toContain(uri);
      }),
    );
  });
});
