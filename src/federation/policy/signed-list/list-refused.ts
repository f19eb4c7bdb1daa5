/** What was given as a federation list is none that counts; the message says why. */
export class ListRefused extends Error {
  override readonly name = 'ListRefused';
}
