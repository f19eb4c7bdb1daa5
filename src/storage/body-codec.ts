/**
 * How event bodies lie in the database. The first byte is the format, so that compressed or encrypted bodies can come
 * without a migration; 0 is the exact canonical JSON in UTF-8.
 */
export function encodeBody(canonicalJson: string): Buffer {
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(canonicalJson));
  bytes[0] = plain;
  bytes.write(canonicalJson, 1);
  return bytes;
}

/** The canonical JSON. Throws UnknownBodyFormat for a format of a newer program. */
export function decodeBody(body: Buffer): string {
  if (body[0] !== plain)
    throw new UnknownBodyFormat(`an event body has the unknown format ${body[0] ?? 'of an empty body'}`);
  return body.toString('utf8', 1);
}

export class UnknownBodyFormat extends Error {
  override readonly name = 'UnknownBodyFormat';
}

const plain = 0;
