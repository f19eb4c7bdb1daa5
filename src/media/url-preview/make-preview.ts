import { MatrixError } from '../../matrix/errors.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { type ImageHeader, readImageHeader } from '../image-header.ts';
import { parseOEmbed, type OEmbed } from './o-embed.ts';
import { absoluteUrl } from './absolute-url.ts';
import { pageCard, wantsOEmbed } from './open-graph.ts';
import { type Fetched, type PageFetcher, typeOf } from './page-fetcher.ts';
import { type PageFacts, pageFacts } from './page-facts.ts';
import { oneLine } from './preview-text.ts';
import { pageText } from './page-text.ts';

export interface PreviewImage {
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly fileName: string | undefined;
}
/** Stores an image as media of this server and gives its mxc URI. */
export type StoreImage = (image: PreviewImage) => Promise<string>;

export interface MadePreview {
  readonly properties: JsonObject;
  /** How long the page says that it may be kept. */
  readonly maxAgeMs: number | undefined;
}
interface PreviewTask {
  readonly fetcher: PageFetcher;
  readonly language: string | undefined;
  readonly storeImage: StoreImage;
}

/**
 * Gets a page, or an image that is its own preview, and what the page names. Throws as PageFetcher does where the page itself cannot be
 * had; without its image or its oEmbed the preview has less. What is neither page nor image gives an empty preview.
 */
export async function makePreview(url: string, task: PreviewTask): Promise<MadePreview> {
  const { fetcher, language } = task;
  const bytesWanted = (type: string): number =>
    pageTypes.has(type) ? limits.previewPageBytesMax : imageTypes.has(type) ? Infinity : 0;
  const page = await fetcher.fetch(url, { accept: pageAccept, language, bytesWanted });
  const maxAgeMs = maxAge(page.headers['cache-control']);
  const type = typeOf(page.contentType);
  if (imageTypes.has(type)) {
    const properties = await imageProperties(page, task);
    return { properties: properties === undefined ? {} : { ...titleOf(page.url), ...properties }, maxAgeMs };
  }
  if (!pageTypes.has(type)) return { properties: {}, maxAgeMs };
  const facts = pageFacts(pageText(page.body, page.contentType));
  const oEmbed = wantsOEmbed(facts) ? await findOEmbed(facts, page.url, task) : undefined;
  const card = pageCard(facts, page.url, oEmbed);
  for (const image of card.images.slice(0, imagesTriedMax)) {
    const properties = await findImage(image, task);
    if (properties !== undefined) return { properties: { ...card.properties, ...properties }, maxAgeMs };
  }
  return { properties: card.properties, maxAgeMs };
}

async function findOEmbed(facts: PageFacts, pageUrl: string, task: PreviewTask): Promise<OEmbed | undefined> {
  const url = absoluteUrl(facts.oEmbed, pageUrl);
  if (url === undefined) return undefined;
  const bytesWanted = (type: string): number => (oEmbedTypes.has(type) ? limits.previewOEmbedBytesMax : 0);
  const answer = await orNothing(
    task.fetcher.fetch(url, { accept: 'application/json', language: task.language, bytesWanted }),
  );
  return answer && parseOEmbed(pageText(answer.body, 'charset=utf-8'));
}

async function findImage(url: string, task: PreviewTask): Promise<JsonObject | undefined> {
  const bytesWanted = (type: string): number => (imageTypes.has(type) ? Infinity : 0);
  const image = await orNothing(task.fetcher.fetch(url, { accept: imageAccept, language: task.language, bytesWanted }));
  return image && (await imageProperties(image, task));
}

/** Undefined for what is no image, whatever it is called. */
async function imageProperties({ url, body }: Fetched, task: PreviewTask): Promise<JsonObject | undefined> {
  const header: ImageHeader | undefined = readImageHeader(body);
  if (header === undefined) return undefined;
  const { contentType, width, height } = header;
  return {
    'og:image': await task.storeImage({ bytes: body, contentType, fileName: fileNameIn(url) }),
    'og:image:type': contentType,
    'og:image:width': width,
    'og:image:height': height,
    'matrix:image:size': body.length,
  };
}

const titleOf = (url: string): JsonObject => {
  const title = fileNameIn(url);
  return title === undefined ? {} : { 'og:title': title };
};

function fileNameIn(url: string): string | undefined {
  const segment = new URL(url).pathname.split('/').at(-1) ?? '';
  try {
    return oneLine(decodeURIComponent(segment)).slice(0, fileNameCharactersMax).toWellFormed() || undefined;
  } catch {
    return undefined;
  }
}

/** What a preview can do without. */
async function orNothing<T>(fetching: Promise<T>): Promise<T | undefined> {
  try {
    return await fetching;
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}

function maxAge(cacheControl: string | undefined): number | undefined {
  const seconds = /(?:^|[\s,])max-age\s*=\s*"?(\d{1,9})/i.exec(cacheControl ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

const imagesTriedMax = 2;
const fileNameCharactersMax = 200;
const pageTypes: ReadonlySet<string> = new Set(['text/html', 'application/xhtml+xml']);
const oEmbedTypes: ReadonlySet<string> = new Set([
  'application/json',
  'application/json+oembed',
  'text/json',
  'text/javascript',
]);
/** No SVG: it is a program as much as a picture. */
const imageTypes: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/jpg',
  'image/gif',
  'image/webp',
  'image/avif',
]);
const pageAccept = 'text/html,application/xhtml+xml;q=0.9,image/*;q=0.8,*/*;q=0.1';
const imageAccept = 'image/webp,image/avif,image/png,image/jpeg,image/gif;q=0.9,*/*;q=0.1';
