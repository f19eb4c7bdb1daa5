/** Encodings that replies can have. */
export type ContentEncoding = 'br' | 'gzip';

/** What a client takes: the encoding that it prefers among ours, and whether it takes none at all. */
export interface AcceptedEncodings {
  readonly best: ContentEncoding | undefined;
  /** false for `identity;q=0`: what is not encoded is not wanted. */
  readonly takesIdentity: boolean;
}

const nothing: AcceptedEncodings = { best: undefined, takesIdentity: true };
/** Clients send one of a handful of texts. */
const known = new Map<string, AcceptedEncodings>();
const knownMax = 100;
const knownLengthMax = 200;

/**
 * Reads Accept-Encoding with its quality values; of two that are wanted alike, br. A header that cannot be read asks for
 * nothing. https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
 */
export function acceptedEncodings(header: string | undefined): AcceptedEncodings {
  if (header === undefined || header === '') return nothing;
  const remembered = known.get(header);
  if (remembered !== undefined) return remembered;
  const accepted = read(header);
  if (header.length <= knownLengthMax) {
    if (known.size >= knownMax) known.clear();
    known.set(header, accepted);
  }
  return accepted;
}

function read(header: string): AcceptedEncodings {
  const qualities = new Map<string, number>();
  for (const part of header.split(',')) {
    const match = codingWithQuality.exec(part);
    const [, name = '', quality = '1'] = match ?? [];
    if (name !== '') qualities.set(name.toLowerCase(), Number(quality));
  }
  const qualityOf = (...names: readonly string[]): number | undefined =>
    names.map((name) => qualities.get(name)).find((quality) => quality !== undefined);
  const br = qualityOf('br', '*') ?? 0;
  const gzip = qualityOf('gzip', 'x-gzip', '*') ?? 0;
  const identity = qualityOf('identity') ?? (qualityOf('*') === 0 ? 0 : undefined);
  const best = br === 0 && gzip === 0 ? undefined : br >= gzip ? 'br' : 'gzip';
  // Who names a quality for what is not encoded and wants it more, gets it.
  const prefersIdentity = identity !== undefined && identity > Math.max(br, gzip);
  return { best: prefersIdentity ? undefined : best, takesIdentity: identity !== 0 };
}

const codingWithQuality = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i;
