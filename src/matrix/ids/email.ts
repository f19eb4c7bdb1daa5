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
