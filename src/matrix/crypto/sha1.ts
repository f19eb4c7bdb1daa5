import { hash } from 'node:crypto';

/** SHA-1 of a text in hexadecimal. Only state resolution v1 orders by it; nothing is protected by it. */
export function sha1Hex(text: string): string {
  return hash('sha1', text, 'hex');
}
