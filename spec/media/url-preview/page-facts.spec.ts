import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { htmlText, pageFacts } from '../../../src/media/url-preview/page-facts.ts';
import { limits } from '../../../src/platform/limits.ts';

describe('what a page says of itself', () => {
  it('is in its head', () => {
    const facts = pageFacts(`<!doctype html><html><head><base href="/docs/">
      <title>  The&nbsp;Rock
      (1996) </title><title>Second</title>
      <META Property="OG:Title" content="The &quot;Rock&quot;"><meta name=description content='A  film'>
      <link rel="shortcut icon" href="/f.ico"><link rel="image_src" href="i.png">
      <link rel=alternate type="application/json+oembed" href="https://o.example/?u=1&amp;f=json">
      </head><body>Text</body>`);
    expect(facts).toEqual({
      meta: [
        ['og:title', 'The "Rock"'],
        ['description', 'A film'],
      ],
      title: 'The Rock (1996)',
      base: '/docs/',
      oEmbed: 'https://o.example/?u=1&f=json',
      imageLink: 'i.png',
      text: '',
    });
  });

  it('is its text where it has no description, without scripts, menus and pictures', () => {
    const facts = pageFacts(`<title>T</title><style>p{}</style><body><nav>Menu</nav><svg><title>Icon</title></svg>
      <script>var a = "<p>no</p>"</script><h1>Head</h1><p>One <b>two</b>three<br>four</p><!-- no --><footer>Imprint</footer>`);
    expect(facts.title).toBe('T');
    expect(facts.text).toBe('Head One twothree four');
  });

  it('is not longer than a preview may be, and ends with a word', () => {
    const { text } = pageFacts(`<body>${'word '.repeat(5_000)}`);
    expect(text.length).toBeLessThanOrEqual(limits.previewTextCharactersMax);
    expect(text).toMatch(/ word…$/);
  });

  it('carries no signs that change the direction or look of what follows', () => {
    expect(pageFacts('<title>a\u202eb\u0000c\u2066d\ufeff</title>').title).toBe('abcd');
  });

  it('is read up to a depth that no page needs, in time that grows with the length of the page only', () => {
    const facts = pageFacts(`<title>T</title>${'<div>'.repeat(200_000)}deep`);
    expect(facts.title).toBe('T');
    expect(facts.text).not.toContain('deep');
  });

  it('has bounds for its tags', () => {
    const facts = pageFacts('<meta name=a content=b>'.repeat(10_000) + `<meta name=${'n'.repeat(200)} content=b>`);
    expect(facts.meta).toHaveLength(limits.previewPropertiesMax);
  });

  it('is something for any markup', () => {
    const piece = fc.constantFrom(
      '<title>',
      '</title>',
      '<meta property="og:title" content="',
      '">',
      '<body',
      '>',
      '<svg>',
      '</svg>',
      '<!--',
      '-->',
      '<script>',
      '</script>',
      '<p>',
      '</p>',
      '<br/>',
      '&amp',
      '&#x0;',
      '&#xd800;',
      '<![CDATA[',
      ']]>',
      '<textarea>',
      '\0',
      '<',
      '<link rel=alternate type=application/json+oembed href=',
      '<base href=__proto__>',
      'text',
      ' ',
      '"',
      "'",
      '=',
      '</',
      '<a b=c',
      '<meta __proto__=x name=constructor content=y>',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 8 })), { maxLength: 60 }), (pieces) => {
        const facts = pageFacts(pieces.join(''));
        for (const text of [facts.text, facts.title ?? '', ...facts.meta.flat()]) {
          expect(text).toBe(text.toWellFormed());
          expect(text).not.toMatch(/[\0\n]/);
        }
        expect(facts.text.length).toBeLessThanOrEqual(limits.previewTextCharactersMax);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the text of a fragment', () => {
  it('is what can be read', () => {
    expect(
      htmlText('<blockquote><p>A post &mdash; of <a href="x">someone</a></p></blockquote><script>x</script>'),
    ).toBe('A post — of someone');
  });
});
