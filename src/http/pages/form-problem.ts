import { MatrixError } from '../../matrix/errors.ts';
import type { Translate } from '../../platform/messages/catalogue.ts';
import type { FormAction } from './start-page-forms.ts';

/** Why a form was not done, in words for people. */
export class FormProblem extends Error {
  override readonly name = 'FormProblem';
  readonly status: number;
  readonly text: (say: Translate) => string;

  constructor(status: number, text: (say: Translate) => string) {
    super('the form was not done');
    this.status = status;
    this.text = text;
  }
}

/** Rethrows what is not the person's doing. */
export function problemOf(error: unknown, action: FormAction, passwordLengthMin: number): FormProblem {
  if (error instanceof FormProblem) return error;
  if (!(error instanceof MatrixError)) throw error;
  return new FormProblem(error.status, (say) => sentenceOf(error, action, passwordLengthMin, say));
}

function sentenceOf(error: MatrixError, action: FormAction, passwordLengthMin: number, say: Translate): string {
  switch (error.errcode) {
    case 'M_FORBIDDEN':
      if (action === 'sign-in') return say('error.wrongPassword');
      if (action === 'create-first-administrator') return say('error.setupToken');
      return say('error.notAdministrator');
    case 'M_INVALID_USERNAME':
      return say('error.invalidUsername');
    case 'M_USER_IN_USE':
      return say('error.userInUse');
    case 'M_WEAK_PASSWORD':
      return say('error.weakPassword', { length: passwordLengthMin });
    case 'M_LIMIT_EXCEEDED':
      return say('error.limitExceeded', { seconds: Math.ceil(Number(error.extra.retry_after_ms ?? 1000) / 1000) });
    default:
      return say('error.other', { message: error.message });
  }
}
