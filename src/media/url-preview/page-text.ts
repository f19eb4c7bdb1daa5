/** Which characters the bytes of a page are. https://encoding.spec.whatwg.org/ https://html.spec.whatwg.org/#determining-the-character-encoding */
import { TextDecoder } from 'node:util';

/**
 * Decides by a byte order mark, the Content-Type header, a `<meta>` among the first kilobyte, and what the bytes look like, in this
 * order. `bytes` may be the beginning of a page that was cut off anywhere. Whatever cannot be read becomes U+FFFD.
 */
export function pageText(bytes: Buffer, contentType: string): string {
  return (bomDecoder(bytes) ?? declaredDecoder(bytes, contentType) ?? guessedDecoder(bytes)).decode(bytes);
}

function bomDecoder(bytes: Buffer): TextDecoder | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return new TextDecoder('utf-8');
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be');
  return undefined;
}

function declaredDecoder(bytes: Buffer, contentType: string): TextDecoder | undefined {
  const inHeader = charsetIn(contentType);
  return (inHeader === undefined ? undefined : decoderFor(inHeader)) ?? metaDecoder(bytes);
}

function metaDecoder(bytes: Buffer): TextDecoder | undefined {
  const start = bytes.toString('latin1', 0, prescanBytes);
  for (const [tag] of start.matchAll(/<meta\s[^<>]{1,500}|<\?xml\s[^<>]{1,200}/gi)) {
    const label = charsetIn(tag) ?? /\sencoding\s*=\s*["']([^"']{1,40})["']/i.exec(tag)?.[1];
    const decoder = label === undefined ? undefined : decoderFor(label);
    // Bytes in which this could be read are in no form of UTF-16, whatever they say.
    if (decoder !== undefined) return decoder.encoding.startsWith('utf-16') ? new TextDecoder('utf-8') : decoder;
  }
  return undefined;
}

function guessedDecoder(bytes: Buffer): TextDecoder {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return new TextDecoder('utf-8');
  } catch {
    return new TextDecoder('windows-1252');
  }
}

const charsetIn = (text: string): string | undefined =>
  /(?:^|[\s;"'])charset\s*=\s*["']?\s*([^\s"';,>]{1,40})/i.exec(text)?.[1];

function decoderFor(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}

const prescanBytes = 1_024;
