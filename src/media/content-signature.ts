import { essenceOf } from './content-type.ts';

/**
 * Whether a content that begins with `head` may be of the type. False only where all of that type begin otherwise: an
 * encrypted file or a page that is called an image. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid
 */
export function looksLike(contentType: string, head: Buffer): boolean {
  const signatures = signaturesOf.get(essenceOf(contentType));
  return (
    signatures === undefined || signatures.some(({ at, bytes }) => head.subarray(at, at + bytes.length).equals(bytes))
  );
}

interface Signature {
  readonly at: number;
  readonly bytes: Buffer;
}
const from = (at: number, bytes: string): Signature => ({ at, bytes: Buffer.from(bytes, 'latin1') });

/** https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern and the definitions of the containers. */
const png = [from(0, '\x89PNG\r\n\x1a\n')];
const matroska = [from(0, '\x1a\x45\xdf\xa3')];
const ogg = [from(0, 'OggS')];
const riff = [from(0, 'RIFF'), from(0, 'RIFX'), from(0, 'RF64')];
const flac = [from(0, 'fLaC'), ...ogg];
const signaturesOf: ReadonlyMap<string, readonly Signature[]> = new Map([
  ['image/png', png],
  ['image/apng', png],
  ['image/jpeg', [from(0, '\xff\xd8\xff')]],
  ['image/gif', [from(0, 'GIF87a'), from(0, 'GIF89a')]],
  ['image/webp', [from(8, 'WEBP')]],
  ['image/avif', [from(4, 'ftyp')]],
  ['video/mp4', [from(4, 'ftyp')]],
  ['audio/mp4', [from(4, 'ftyp')]],
  ['video/webm', matroska],
  ['audio/webm', matroska],
  ['video/ogg', ogg],
  ['audio/ogg', ogg],
  ['audio/wave', riff],
  ['audio/wav', riff],
  ['audio/x-wav', riff],
  ['audio/flac', flac],
  ['audio/x-flac', flac],
]);
