import { createHash } from 'node:crypto';
import type { Random } from '../../platform/ports.ts';

/** The secret in an upload's URL: who has it may continue the upload. */
export const newUploadToken = (random: Random): string => random.bytes(32).toString('base64url');

/** Under which the upload is kept: nobody who reads the database or the disk learns a token. undefined: no token of ours. */
export const uploadIdOf = (token: string): string | undefined =>
  /^[A-Za-z0-9_-]{43}$/.test(token) ? createHash('sha256').update(token).digest('base64url') : undefined;
