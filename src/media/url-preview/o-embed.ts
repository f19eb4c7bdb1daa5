/** oEmbed: what a site tells of one of its pages. https://oembed.com/ */
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { htmlText } from './page-facts.ts';
import { cutOff, oneLine } from './preview-text.ts';

export interface OEmbed {
  readonly title: string | undefined;
  readonly providerName: string | undefined;
  /** The photo, or the thumbnail of a video or of rich content. Not resolved yet. */
  readonly imageUrl: string | undefined;
  /** What can be read in rich content. */
  readonly text: string | undefined;
  readonly openGraphType: string | undefined;
}

/** Reads the answer of an oEmbed provider. Undefined for what is none; fields that are wrong are left out. */
export function parseOEmbed(json: string): OEmbed | undefined {
  const answer = parse(json);
  if (!isJsonObject(answer) || (answer['version'] !== '1.0' && answer['version'] !== 1)) return undefined;
  const type = answer['type'];
  const html = answer['html'];
  return {
    title: line(answer, 'title') ?? line(answer, 'author_name'),
    providerName: line(answer, 'provider_name'),
    imageUrl: (type === 'photo' ? line(answer, 'url') : undefined) ?? line(answer, 'thumbnail_url'),
    text: type === 'rich' && typeof html === 'string' ? htmlText(html) || undefined : undefined,
    openGraphType: type === 'video' ? 'video.other' : undefined,
  };
}

function line(answer: JsonObject, name: string): string | undefined {
  const value = answer[name];
  return typeof value === 'string' ? cutOff(oneLine(value)) || undefined : undefined;
}

function parse(json: string): JsonValue | undefined {
  try {
    return JSON.parse(json) as JsonValue;
  } catch {
    return undefined;
  }
}
