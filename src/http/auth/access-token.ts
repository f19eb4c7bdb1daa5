import { MatrixError } from '../../matrix/errors.ts';

/**
 * The access token of a request: from the Authorization header, otherwise from `?access_token=`.
 * https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens
 */
export function findAccessToken(
  authorization: string | undefined,
  query: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  if (authorization !== undefined) {
    const match = /^Bearer +(\S+) *$/i.exec(authorization);
    if (match) return match[1];
  }
  const token = query.get('access_token')?.[0];
  return token === '' ? undefined : token;
}

export const missingToken = (): MatrixError =>
  new MatrixError(401, 'M_MISSING_TOKEN', 'An access token is needed here');
