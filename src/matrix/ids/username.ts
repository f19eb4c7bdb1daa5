/**
 * The suggested mapping of any text onto the characters of a localpart: lower case, other bytes as `=` and two hexadecimal
 * digits. A leading underscore is escaped too, because such localparts are left to application services; with
 * `caseSensitive` an upper-case letter becomes `_` and its lower case, and `_` becomes `__`.
 * https://spec.matrix.org/v1.19/appendices/#mapping-from-other-character-sets
 */
export function localpartFromUsername(username: string, options: { readonly caseSensitive?: boolean } = {}): string {
  if (options.caseSensitive === true) {
    return escapeBytes(username.replace(/[A-Z_]/g, (letter) => `_${asciiLowerCase(letter)}`));
  }
  return escapeBytes(asciiLowerCase(username)).replace(/^_/, '=5f');
}

function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function escapeBytes(text: string): string {
  return text.replace(/[^a-z0-9._/+-]+/g, (run) => {
    let escaped = '';
    for (const byte of Buffer.from(run)) escaped += `=${byte.toString(16).padStart(2, '0')}`;
    return escaped;
  });
}
