import type { OpenedContent } from '../../../media/open-content.ts';
import type { StreamReply } from '../../endpoint.ts';

/**
 * A file as other servers are answered: nothing about it, then the file itself.
 * https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid
 */
export function multipartReply(content: OpenedContent): StreamReply {
  // Of the file's own hash nobody can make a file that contains it.
  const boundary = content.sha256.toString('hex');
  const { contentType, contentDisposition, sizeBytes } = content;
  const before = [
    `--${boundary}`,
    'Content-Type: application/json',
    '',
    '{}',
    `--${boundary}`,
    `Content-Type: ${contentType}`,
    `Content-Disposition: ${contentDisposition}`,
    `Content-Length: ${sizeBytes}`,
    '',
    '',
  ].join('\r\n');
  const after = `\r\n--${boundary}--\r\n`;
  return {
    headers: {
      'Content-Type': `multipart/mixed; boundary=${boundary}`,
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    },
    stream: {
      lengthBytes: Buffer.byteLength(before) + sizeBytes + Buffer.byteLength(after),
      async open() {
        const file = sizeBytes === 0 ? undefined : await content.open();
        return surrounded(before, file, after);
      },
    },
  };
}

async function* surrounded(
  before: string,
  file: AsyncIterable<Buffer> | undefined,
  after: string,
): AsyncIterable<Buffer> {
  yield Buffer.from(before);
  if (file !== undefined) yield* file;
  yield Buffer.from(after);
}
