import { Parser } from 'htmlparser2';
import { limits } from '../../platform/limits.ts';
import { cutOff, oneLine } from './preview-text.ts';

/** What a page says of itself. Texts are as they stand there, in one line; URLs are not resolved yet. */
export interface PageFacts {
  /** `property` and `content` of its `<meta>` tags (or `name`), in their order; names in lower case. */
  readonly meta: readonly (readonly [name: string, content: string])[];
  readonly title: string | undefined;
  /** Of `<base>`. */
  readonly base: string | undefined;
  /** Of `<link rel="alternate" type="application/json+oembed">`. */
  readonly oEmbed: string | undefined;
  /** Of `<link rel="image_src">`. */
  readonly imageLink: string | undefined;
  /** The beginning of what can be read in it, where it does not describe itself. */
  readonly text: string;
}

/**
 * Reads HTML that anybody may have written: any text gives facts. Stops at the end of the head where that has a description, at
 * `limits.previewTextCharactersMax` of text, and where elements are nested deeper than any page needs, because the parser's work at each
 * element grows with its depth.
 */
export function pageFacts(html: string): PageFacts {
  const reading = new Reading();
  const parser = new Parser(reading, { decodeEntities: true });
  for (let at = 0; at < html.length && !reading.isDone; at += pieceLength)
    parser.write(html.slice(at, at + pieceLength));
  if (!reading.isDone) parser.end();
  return reading.facts();
}

/** The text of a fragment of HTML, in one line. */
export function htmlText(html: string): string {
  return pageFacts(`<body>${html}`).text;
}

class Reading {
  isDone = false;
  #depth = 0;
  /** Elements that are open and whose text is none of the page's. */
  #skipping: string[] = [];
  #isInTitle = false;
  #title = '';
  #hasTitle = false;
  #text = '';
  readonly #meta: [string, string][] = [];
  #base: string | undefined;
  #oEmbed: string | undefined;
  #imageLink: string | undefined;

  onopentag(name: string, attributes: Readonly<Record<string, string>>): void {
    if (this.isDone) return;
    this.#depth += 1;
    if (this.#depth > depthMax) this.isDone = true;
    if (silent.has(name) || (name === 'title' && this.#hasTitle)) this.#skipping.push(name);
    else if (name === 'title') this.#isInTitle = this.#skipping.length === 0;
    else if (name === 'meta') this.#noteMeta(attributes);
    else if (name === 'link') this.#noteLink(attributes);
    else if (name === 'base') this.#base ??= textOf(attributes, 'href');
    else if (name === 'body') this.isDone ||= this.#hasDescription;
    else if (!inline.has(name)) this.#addText(' ');
  }

  ontext(text: string): void {
    if (this.isDone) return;
    if (this.#isInTitle)
      this.#title += this.#title.length < titleCharactersMax ? text.slice(0, titleCharactersMax) : '';
    else if (this.#skipping.length === 0) this.#addText(text);
  }

  onclosetag(name: string): void {
    this.#depth -= 1;
    if (this.#skipping.at(-1) === name) this.#skipping.pop();
    else if (name === 'title' && this.#isInTitle) {
      this.#isInTitle = false;
      this.#hasTitle = true;
    } else if (name === 'head') this.isDone ||= this.#hasDescription;
    else if (!inline.has(name)) this.#addText(' ');
  }

  facts(): PageFacts {
    return {
      meta: this.#meta,
      title: orNothing(oneLine(this.#title)),
      base: this.#base,
      oEmbed: this.#oEmbed,
      imageLink: this.#imageLink,
      text: cutOff(oneLine(this.#text)),
    };
  }

  get #hasDescription(): boolean {
    return this.#meta.some(([name]) => descriptions.has(name));
  }

  #noteMeta(attributes: Readonly<Record<string, string>>): void {
    const name = (textOf(attributes, 'property') ?? textOf(attributes, 'name'))?.toLowerCase();
    const content = textOf(attributes, 'content');
    if (name === undefined || content === undefined || name.length > metaNameCharactersMax) return;
    const line = oneLine(content.slice(0, limits.previewUrlCharactersMax));
    if (line !== '' && this.#meta.length < limits.previewPropertiesMax) this.#meta.push([name, line]);
  }

  #noteLink(attributes: Readonly<Record<string, string>>): void {
    const relations = (textOf(attributes, 'rel') ?? '').toLowerCase().split(/\s+/);
    const href = textOf(attributes, 'href');
    if (href === undefined || href.length > limits.previewUrlCharactersMax) return;
    const type = (textOf(attributes, 'type') ?? '').trim().toLowerCase();
    if (relations.includes('alternate') && oEmbedTypes.has(type)) this.#oEmbed ??= href;
    if (relations.includes('image_src')) this.#imageLink ??= href;
  }

  #addText(text: string): void {
    const piece = text.replaceAll(/\s+/g, ' ').slice(0, limits.previewTextCharactersMax);
    if (piece === ' ' && (this.#text === '' || this.#text.endsWith(' '))) return;
    this.#text += piece;
    // Twice as much as is wanted: some of it is white space that counts once.
    this.isDone ||= this.#text.length >= 2 * limits.previewTextCharactersMax;
  }
}

function textOf(attributes: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(attributes, name) ? orNothing((attributes[name] ?? '').trim()) : undefined;
}
const orNothing = (text: string): string | undefined => (text === '' ? undefined : text);

const pieceLength = 16_384;
const depthMax = 512;
const titleCharactersMax = 2_000;
const metaNameCharactersMax = 100;
const descriptions: ReadonlySet<string> = new Set(['og:description', 'twitter:description', 'description']);
const oEmbedTypes: ReadonlySet<string> = new Set(['application/json+oembed', 'text/json+oembed']);
const silent: ReadonlySet<string> = new Set(
  'script style noscript template svg math nav header footer aside form button select textarea iframe object video audio canvas'.split(
    ' ',
  ),
);
const inline: ReadonlySet<string> = new Set(
  'a abbr b bdi bdo cite code data dfn em i kbd mark q s samp small span strong sub sup time u var wbr'.split(' '),
);
