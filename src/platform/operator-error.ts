/** Something that whoever runs the server can mend: the message is for them, a sentence that says what is wrong, and needs no stack. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
}
