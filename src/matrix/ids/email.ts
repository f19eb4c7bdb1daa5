/**
 * The canonical form of an e-mail address: white space around it removed, case folded throughout. undefined: not of the
 * form user@domain. https://spec.matrix.org/v1.19/appendices/#e-mail
 */
export function canonicalEmail(address: string): string | undefined {
  const trimmed = address.trim();
  const at = trimmed.indexOf('@');
  if (at < 1 || at === trimmed.length - 1 || trimmed.includes('@', at + 1)) return undefined;
  return foldCase(trimmed);
}

/**
 * Unicode's full case folding, which JavaScript has no function for. Code point by code point, so that the final sigma is
 * folded like the others. The exceptions: dotless i folds to itself (it must never meet i), the capital sharp s to ss,
 * and Cherokee to its upper case.
 */
function foldCase(text: string): string {
  let folded = '';
  for (const character of text) {
    if (character === '\u0131') folded += character;
    else if (character === '\u1e9e') folded += 'ss';
    else if (cherokee.test(character)) folded += character.toUpperCase();
    else for (const upper of character.toUpperCase()) folded += upper.toLowerCase();
  }
  return folded;
}

const cherokee = /[\u13a0-\u13fd\uab70-\uabbf]/;

/**
 * Whether a message can be sent to an address: one mailbox, whatever program reads it. Quoted and commented forms are left
 * out, because programs disagree about them. https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2
 */
export function isMailAddress(address: string): boolean {
  if (Buffer.byteLength(address) > mailAddressBytesMax) return false;
  const at = address.lastIndexOf('@');
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  return Buffer.byteLength(local) <= localBytesMax && localPart.test(local) && domainName.test(domain);
}

const mailAddressBytesMax = 254;
const localBytesMax = 64;
/** Dots only between other characters; letters of all scripts. */
const localPart = /^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const domainName =
  /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?)*$/u;
