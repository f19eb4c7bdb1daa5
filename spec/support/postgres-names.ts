/** The database of the test run's cluster that fresh ones are copied from. */
export const migratedTemplate = 'veche_migrated';

/** `socket`: the folder of the cluster's socket. */
export function postgresUrl(database: string, socket: string): string {
  return `postgres://postgres@/${database}?host=${encodeURIComponent(socket)}`;
}
