/** A backup cannot be made or restored as asked. The message says why and what to do. */
export class BackupRefused extends Error {
  override readonly name = 'BackupRefused';
}
