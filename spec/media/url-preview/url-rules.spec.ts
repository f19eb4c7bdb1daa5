import { describe, expect, it } from 'vitest';
import { UrlRules, type UrlPatterns } from '../../../src/media/url-preview/url-rules.ts';

const allows = (url: string, patterns: Partial<UrlPatterns> = {}): boolean =>
  new UrlRules({ allowed: [], blocked: [], ...patterns }).allows(new URL(url));

describe('patterns of URLs', () => {
  it.each([
    ['intranet.example.org', 'https://intranet.example.org/a'],
    ['intranet.example.org', 'http://INTRANET.example.org:8080/'],
    ['intranet.example.org', 'https://intranet.example.org./'],
    ['*.Example.org', 'https://a.b.example.org/'],
    ['example.org/private/*', 'https://example.org/private/x?y'],
    ['example.org/private/*', 'https://example.org/priv%61te/x'],
    ['example.org/private/*', 'https://example.org/x/../private/x'],
    ['http://*', 'http://example.org/'],
    ['*.onion', 'http://abc.onion/'],
    ['*/secret?', 'https://any.example/secret1'],
  ])('%s blocks %s', (pattern, url) => {
    expect(allows(url, { blocked: [pattern] })).toBe(false);
  });

  it.each([
    ['intranet.example.org', 'https://www.example.org/intranet.example.org'],
    ['*.example.org', 'https://example.org/'],
    ['example.org/private/*', 'https://example.org/public'],
    ['http://*', 'https://example.org/'],
  ])('%s leaves %s alone', (pattern, url) => {
    expect(allows(url, { blocked: [pattern] })).toBe(true);
  });

  it('allow nothing else, where there are some that allow; what is blocked stays so', () => {
    const patterns = { allowed: ['*.example.org', 'example.com/news/*'], blocked: ['secret.example.org'] };
    expect(allows('https://a.example.org/', patterns)).toBe(true);
    expect(allows('https://example.com/news/1', patterns)).toBe(true);
    expect(allows('https://example.com/', patterns)).toBe(false);
    expect(allows('https://secret.example.org/', patterns)).toBe(false);
  });
});

describe('ports', () => {
  it('of other services are not asked', () => {
    for (const port of ['', ':80', ':443', ':8080', ':8008', ':65535'])
      expect(allows(`http://x.example${port}/`)).toBe(true);
    for (const port of [':22', ':25', ':110', ':6667', ':2049', ':1'])
      expect(allows(`http://x.example${port}/`)).toBe(false);
  });
});
