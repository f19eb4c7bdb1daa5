import { create, parse } from 'content-disposition';
import { invalidParam, MatrixError } from '../matrix/errors.ts';

/**
 * The name of a file as it is kept: what is behind the last slash or backslash, without control characters. undefined when
 * nothing is left. Throws M_INVALID_PARAM when it is too long.
 */
export function plainFileName(given: string): string | undefined {
  const name = given
    .replace(/^.*[/\\]/s, '')
    .replaceAll(/\p{Cc}/gu, '')
    .toWellFormed()
    .trim();
  if (Buffer.byteLength(name) > fileNameBytesMax)
    throw invalidParam(`The name of a file has at most ${fileNameBytesMax} bytes`);
  return name === '' || name === '.' || name === '..' ? undefined : name;
}

/** The header's value, by RFC 6266: names of every script come twice, in ASCII and as they are. */
export const contentDisposition = (type: 'inline' | 'attachment', fileName: string | undefined): string =>
  fileName === undefined ? type : create(fileName, { type });

/** The name in a header that somebody else wrote, as it is kept. undefined: there is none that can be used. */
export function fileNameIn(header: string): string | undefined {
  try {
    const name = parse(header).parameters['filename'];
    return name === undefined ? undefined : plainFileName(name);
  } catch (error) {
    if (error instanceof MatrixError || error instanceof TypeError) return undefined;
    throw error;
  }
}

const fileNameBytesMax = 1_024;
