import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { absoluteUrl } from '../../../src/media/url-preview/absolute-url.ts';
import { parseOEmbed } from '../../../src/media/url-preview/o-embed.ts';
import { pageCard, wantsOEmbed } from '../../../src/media/url-preview/open-graph.ts';
import { pageFacts } from '../../../src/media/url-preview/page-facts.ts';

const pageUrl = 'https://example.org/films/rock.html';
const cardOf = (html: string, oEmbed?: string) =>
  pageCard(pageFacts(html), pageUrl, oEmbed === undefined ? undefined : parseOEmbed(oEmbed));
const meta = (name: string, content: string): string => `<meta property="${name}" content="${content}">`;

describe('the card of a page', () => {
  it('has the properties that the page gives, each once, and URLs that lead somewhere', () => {
    const card = cardOf(
      meta('og:title', 'The Rock') +
        meta('og:title', 'Second') +
        meta('og:type', 'video.movie') +
        meta('og:url', '/title/1') +
        meta('og:description', 'About') +
        meta('og:video', 'javascript:alert(1)') +
        meta('article:author', 'Someone') +
        meta('og:image:width', '1000000') +
        meta('og:image', '../rock.png#x') +
        meta('og:image:secure_url', 'https://cdn.example/rock.png') +
        meta('fb:app_id', '1'),
    );
    expect(card.properties).toEqual({
      'og:title': 'The Rock',
      'og:type': 'video.movie',
      'og:url': 'https://example.org/title/1',
      'og:description': 'About',
      'article:author': 'Someone',
    });
    expect(card.images).toEqual(['https://example.org/rock.png', 'https://cdn.example/rock.png']);
  });

  it('falls back to the tags of others, the title and the text', () => {
    expect(cardOf('<title>Title</title><body>The first words').properties).toEqual({
      'og:title': 'Title',
      'og:description': 'The first words',
    });
    const twitter = meta('twitter:title', 'T') + meta('twitter:description', 'D') + meta('twitter:image', '/t.png');
    const card = cardOf(`<title>Title</title><meta name="application-name" content="App">${twitter}`);
    expect(card).toEqual({
      properties: { 'og:title': 'T', 'og:description': 'D', 'og:site_name': 'App' },
      images: ['https://example.org/t.png'],
    });
  });

  it('resolves URLs against <base>, where that is one', () => {
    expect(cardOf(`<base href="https://cdn.example/a/">${meta('og:image', 'b.png')}`).images).toEqual([
      'https://cdn.example/a/b.png',
    ]);
    expect(cardOf(`<base href="javascript:x">${meta('og:image', 'b.png')}`).images).toEqual([
      'https://example.org/films/b.png',
    ]);
  });

  it('takes from oEmbed what the page leaves out', () => {
    const video = JSON.stringify({
      version: '1.0',
      type: 'video',
      title: 'Video',
      provider_name: 'Tube',
      thumbnail_url: 'https://cdn.example/v.jpg',
      html: '<iframe></iframe>',
    });
    expect(cardOf('<title>Page</title>', video)).toEqual({
      properties: { 'og:title': 'Video', 'og:site_name': 'Tube', 'og:type': 'video.other' },
      images: ['https://cdn.example/v.jpg'],
    });
    expect(cardOf(meta('og:title', 'Own'), video).properties).toMatchObject({ 'og:title': 'Own' });
  });

  it('has no URL that could mean something else than a page', () => {
    for (const url of [
      'javascript:x',
      'data:image/png;base64,AA',
      'file:///etc/passwd',
      'ftp://x/',
      'http://u:p@x/',
      '//',
    ])
      expect(absoluteUrl(url, pageUrl), url).toBeUndefined();
    expect(absoluteUrl(`https://x.example/${'a'.repeat(3_000)}`, pageUrl)).toBeUndefined();
  });

  it('is a flat object of texts, whatever the tags are', () => {
    const tag = fc.tuple(
      fc.oneof(
        fc.constantFrom('og:title', 'og:image', 'og:url', '__proto__', 'og:__proto__', 'twitter:image'),
        fc.string(),
      ),
      fc.oneof(fc.webUrl(), fc.string()),
    );
    fc.assert(
      fc.property(fc.array(tag), fc.option(fc.string(), { nil: undefined }), (tags, base) => {
        const facts = { meta: tags, title: undefined, base, oEmbed: undefined, imageLink: undefined, text: '' };
        const { properties, images } = pageCard(facts, pageUrl);
        expect(Object.values(properties).every((value) => typeof value === 'string')).toBe(true);
        expect(images.every((url) => /^https?:\/\//.test(url))).toBe(true);
      }),
    );
  });
});

describe('oEmbed', () => {
  it('is asked for where the page leaves out a title or an image', () => {
    expect(wantsOEmbed(pageFacts('<title>x</title>'))).toBe(true);
    expect(wantsOEmbed(pageFacts(meta('og:title', 'x')))).toBe(true);
    expect(wantsOEmbed(pageFacts(meta('og:title', 'x') + meta('og:image', 'y')))).toBe(false);
  });

  it('gives photos, and the words of rich content', () => {
    expect(parseOEmbed('{"version":"1.0","type":"photo","url":"https://x/p.jpg","author_name":"A"}')).toMatchObject({
      imageUrl: 'https://x/p.jpg',
      title: 'A',
    });
    expect(parseOEmbed('{"version":"2.0","type":"rich","html":"<p>Words</p>"}')).toBeUndefined();
    expect(parseOEmbed('{"version":"1.0","type":"rich","html":"<p>Words<script>x</script></p>"}')).toMatchObject({
      text: 'Words',
      imageUrl: undefined,
    });
  });

  it('is undefined or well-formed, whatever the answer is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        parseOEmbed(text);
      }),
    );
    for (const wrong of ['', '[]', 'null', '{"version":"1.0","title":{},"thumbnail_url":5,"html":[]}'])
      expect(Object.values(parseOEmbed(wrong) ?? {}).filter((value) => value !== undefined)).toEqual([]);
  });
});
