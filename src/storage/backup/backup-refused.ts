import { OperatorError } from '../../platform/operator-error.ts';

/** A backup cannot be made or restored as asked. The message says why and what to do. */
export class BackupRefused extends OperatorError {
  override readonly name = 'BackupRefused';
}
