import { invalidParam, MatrixError } from '../matrix/errors.ts';

/** Longer passwords would only make hashing dearer. */
export const passwordBytesMax = 1024;

/**
 * Throws 400 M_WEAK_PASSWORD when the password has fewer than `lengthMin` characters (code points), 400 M_INVALID_PARAM
 * when it is too long. https://spec.matrix.org/v1.19/client-server-api/#password-management
 */
export function checkNewPassword(password: string, lengthMin: number): void {
  if (Buffer.byteLength(password) > passwordBytesMax)
    throw invalidParam(`The password must be at most ${passwordBytesMax} bytes long`);
  if (Array.from(password).length < lengthMin)
    throw new MatrixError(400, 'M_WEAK_PASSWORD', `The password must be at least ${lengthMin} characters long`);
}
