import { invalidParam, MatrixError } from '../matrix/errors.ts';
import { limits } from '../platform/limits.ts';

/**
 * Throws 400 M_WEAK_PASSWORD when the password has fewer than `lengthMin` characters (code points), 400 M_INVALID_PARAM
 * when it is too long. https://spec.matrix.org/v1.19/client-server-api/#password-management
 */
export function checkNewPassword(password: string, lengthMin: number): void {
  if (Buffer.byteLength(password) > limits.passwordBytesMax)
    throw invalidParam(`The password must be at most ${limits.passwordBytesMax} bytes long`);
  if (Array.from(password).length < lengthMin)
    throw new MatrixError(400, 'M_WEAK_PASSWORD', `The password must be at least ${lengthMin} characters long`);
}
