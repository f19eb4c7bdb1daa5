import { limits } from '../../platform/limits.ts';

/** Undefined for what is no http or https URL. */
export function absoluteUrl(url: string | undefined, base: string): string | undefined {
  if (url === undefined) return undefined;
  const absolute = URL.parse(url, base);
  if (absolute === null || !/^https?:$/.test(absolute.protocol) || absolute.username !== '' || absolute.password !== '')
    return undefined;
  absolute.hash = '';
  return absolute.href.length <= limits.previewUrlCharactersMax ? absolute.href : undefined;
}
