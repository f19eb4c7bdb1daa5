/**
 * How `event_body.body` is written: a format byte, then the content. Blocks of old events and encryption at rest will be
 * further formats, so that no row has to be rewritten when they come.
 */
const PLAIN = 0;

export function encodeEventBody(canonicalJson: string): Buffer {
  const body = Buffer.allocUnsafe(1 + Buffer.byteLength(canonicalJson));
  body[0] = PLAIN;
  body.write(canonicalJson, 1);
  return body;
}

/** Throws when the format is not known. */
export function decodeEventBody(body: Buffer): string {
  if (body[0] !== PLAIN) throw new Error(`event body of unknown format ${body[0]}`);
  return body.toString('utf8', 1);
}

/** The canonical JSON as bytes of the same memory. Throws when the format is not known. */
export function eventBodyBytes(body: Buffer): Buffer {
  if (body[0] !== PLAIN) throw new Error(`event body of unknown format ${body[0]}`);
  return body.subarray(1);
}
