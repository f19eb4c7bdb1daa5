/** What is told of a page. https://ogp.me/ https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediapreview_url */
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { absoluteUrl } from './absolute-url.ts';
import type { OEmbed } from './o-embed.ts';
import type { PageFacts } from './page-facts.ts';
import { cutOff } from './preview-text.ts';

export interface PageCard {
  /** Without an image. */
  readonly properties: JsonObject;
  /** Absolute URLs of images, the best first. */
  readonly images: readonly string[];
}

/**
 * The properties of the Open Graph protocol that the page has; where it has none, what its other tags, its oEmbed and its text say.
 * `pageUrl` is where the page was in the end.
 */
export function pageCard(facts: PageFacts, pageUrl: string, oEmbed?: OEmbed): PageCard {
  const base = absoluteUrl(facts.base, pageUrl) ?? pageUrl;
  const properties: Record<string, string> = {};
  for (const [name, content] of facts.meta) addProperty(properties, name, content, base);
  const named = (name: string): string | undefined => facts.meta.find(([candidate]) => candidate === name)?.[1];
  const fallbacks = {
    'og:title': named('twitter:title') ?? oEmbed?.title ?? facts.title,
    'og:description': named('twitter:description') ?? named('description') ?? oEmbed?.text ?? orNothing(facts.text),
    'og:site_name': named('application-name') ?? oEmbed?.providerName,
    'og:type': oEmbed?.openGraphType,
  };
  for (const [name, text] of Object.entries(fallbacks))
    if (text !== undefined && !Object.hasOwn(properties, name)) properties[name] = cutOff(text);
  const images = [
    ...facts.meta.filter(([name]) => imageNames.has(name)).map(([, content]) => content),
    named('twitter:image') ?? named('twitter:image:src'),
    oEmbed?.imageUrl,
    facts.imageLink,
  ].flatMap((url) => absoluteUrl(url, base) ?? []);
  return { properties, images: [...new Set(images)] };
}

/** Whether the page's own tags leave out what its oEmbed would tell. */
export function wantsOEmbed(facts: PageFacts): boolean {
  const names = new Set(facts.meta.map(([name]) => name));
  return !names.has('og:title') || ![...imageNames, 'twitter:image'].some((name) => names.has(name));
}

/** The first of several with one name counts. What is said of images is found out anew, from the image. */
function addProperty(properties: Record<string, string>, name: string, content: string, base: string): void {
  const isKnown = propertyName.test(name) && !name.startsWith('og:image');
  if (!isKnown || Object.hasOwn(properties, name)) return;
  const isUrl = /(^og:url|:url|^og:(video|audio)|:secure_url)$/.test(name);
  const value = isUrl ? absoluteUrl(content, base) : cutOff(content);
  if (value !== undefined) properties[name] = value;
}

const propertyName = /^(og|article|book|profile|video|music):[a-z0-9_:]{1,60}$/;
const imageNames: ReadonlySet<string> = new Set(['og:image:secure_url', 'og:image:url', 'og:image']);
const orNothing = (text: string): string | undefined => (text === '' ? undefined : text);
