import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodeEventBody } from '../../../src/storage/event-body.ts';
import { BackupRefused } from '../../../src/storage/backup/backup-refused.ts';
import { backUp } from '../../../src/storage/backup/back-up.ts';
import { restore } from '../../../src/storage/backup/restore.ts';
import type { GroupCommitDatabase } from '../../../src/storage/group-commit.ts';
import { type DatabaseOptions, openDatabase } from '../../../src/storage/open.ts';
import { bindServerName, findServerFact, setServerFact } from '../../../src/storage/server-facts.ts';
import { staleLists } from '../../../src/storage/stores/remote-device-store.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import {
  addBody,
  addMedia,
  addOneTimeKey,
  addPair,
  addRemoteList,
  allPairs,
  bodies,
  oneTimeKeys,
} from '../support/scratch-queries.ts';

const clock = { nowMs: () => 1_705_305_600_000 };
const serverName = 'example.org';
const program = fileURLToPath(new URL('../support/endless-writer.ts', import.meta.url));

let folder: string;
let signingKeyPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-backup-'));
  signingKeyPath = join(folder, 'signing.key');
  writeFileSync(signingKeyPath, 'ed25519 a_abcd c29tZXRoaW5nIHRoYXQgaXMgc2VjcmV0IGFuZCBsb25n\n', { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describeOnBothEngines('backup and restore', (engine) => {
  const to = () => join(folder, 'backup');
  const newKeyPath = () => join(folder, 'new', 'signing.key');
  const target = (database: DatabaseOptions) => ({ database, signingKeyPath: newKeyPath(), serverName });

  it('bring back everything, the key and the list of media, but no one-time keys', async () => {
    const db = await engine.open({ reopenable: true });
    const written = await fill(db);
    const manifest = await backUp({ database: engine.optionsOf(db), signingKeyPath }, to(), clock);
    expect(manifest).toMatchObject({ engine: engine.name, serverName, createdTs: clock.nowMs() });
    expect(
      readFileSync(join(to(), 'media.jsonl'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line): unknown => JSON.parse(line)),
    ).toEqual([{ origin: '', media_id: 'abc', sha256: '0102ff', bytes: 3 }]);
    expect(statSync(join(to(), 'signing.key')).mode & 0o777).toBe(0o600);

    const database = await engine.freshOptions();
    const restored = await restore(to(), target(database));
    expect(restored).toMatchObject({ droppedOneTimeKeys: 2, media: 1, manifest });
    expect(readFileSync(newKeyPath(), 'utf8')).toBe(readFileSync(signingKeyPath, 'utf8'));
    const again = await openDatabase(database, testPorts());
    await bindServerName(again, serverName);
    expect(await again.all(allPairs, {})).toEqual(await db.all(allPairs, {}));
    expect(await again.all(bodies, { nids: [1, 2] })).toEqual(written);
    expect(await findServerFact(again, 'strange \u0000 name')).toBe('strange \u{10FFFF} value');
    expect(await again.all(oneTimeKeys, {})).toEqual([]);
    // keys of users of other servers are asked for anew
    expect(await again.all(staleLists, {})).toMatchObject([{ user_nid: 5, stream_id: 9, stale_pos: 1 }]);
    // what was handed out after the backup is not handed out again
    expect(again.committedPos()).toBeGreaterThan(db.committedPos() + 1_000_000);
    expect(again.nextId()).toBeGreaterThan(db.nextId() + 1_000_000);
    await again.close();
  });

  it('are of one moment while the server writes', async () => {
    const database = await engine.freshOptions();
    const prepared = await openDatabase(database, testPorts());
    await bindServerName(prepared, serverName);
    await prepared.close();
    const { acknowledged, stop } = await startWriter(database);
    await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(200);
    const before = acknowledged.length;
    await backUp({ database, signingKeyPath }, to(), clock);
    const during = acknowledged.length;
    await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(during);
    await stop();

    const copy = await engine.freshOptions();
    await restore(to(), target(copy));
    const db = await openDatabase(copy, testPorts());
    const posOf = new Map((await db.all(allPairs, {})).map(({ room, nid }) => [room, nid]));
    await db.close();
    const missing = acknowledged.slice(0, before).filter(({ number, pos }) => posOf.get(number) !== pos);
    expect(missing).toEqual([]);
    expect([...posOf].filter(([room, nid]) => posOf.get(-room) !== nid)).toEqual([]);
  });

  it('refuse to overwrite, in sentences', async () => {
    const db = await engine.open({ reopenable: true });
    await fill(db);
    const source = { database: engine.optionsOf(db), signingKeyPath };
    await backUp(source, to(), clock);
    await expect(backUp(source, to(), clock)).rejects.toThrow('is not empty');
    const other = { ...source, signingKeyPath: join(folder, 'absent.key') };
    await expect(backUp(other, join(folder, 'second'), clock)).rejects.toThrow('the signing key');
    expect(existsSync(join(folder, 'second'))).toBe(false);
    expect(existsSync(join(folder, 'second.unfinished'))).toBe(false);

    await db.close();
    await expect(restore(to(), target(source.database))).rejects.toThrow(/exists; move it away|is not empty/);
    const fresh = target(await engine.freshOptions());
    await expect(restore(to(), { ...fresh, serverName: 'example.com' })).rejects.toThrow(
      'is of the server example.org',
    );
    mkdirSync(join(folder, 'new'));
    writeFileSync(newKeyPath(), 'ed25519 a_other b3RoZXI\n');
    await expect(restore(to(), fresh)).rejects.toThrow('is another signing key');
    rmSync(newKeyPath());
    expect(await restore(to(), fresh)).toMatchObject({ droppedOneTimeKeys: 2 });
  });

  it('notice a damaged backup, and what is none', async () => {
    const db = await engine.open({ reopenable: true });
    await fill(db);
    await backUp({ database: engine.optionsOf(db), signingKeyPath }, to(), clock);
    appendFileSync(join(to(), 'media.jsonl'), ' ');
    const fresh = target(await engine.freshOptions());
    await expect(restore(to(), fresh)).rejects.toThrow('the backup is damaged');
    await expect(restore(folder, fresh)).rejects.toThrow('is not a backup');
    await expect(restore(folder, fresh)).rejects.toThrow(BackupRefused);
  });

  it('leave the place empty when a restore fails on the way', async () => {
    const db = await engine.open({ reopenable: true });
    await fill(db);
    const manifest = await backUp({ database: engine.optionsOf(db), signingKeyPath }, to(), clock);
    const file = engine.name === 'sqlite' ? 'veche.db' : 'tables/media.jsonl';
    const whole = readFileSync(join(to(), file));
    const replace = (content: Buffer) => {
      writeFileSync(join(to(), file), content);
      const files = { ...manifest.files, [file]: createHash('sha256').update(content).digest('hex') };
      writeFileSync(join(to(), 'backup.json'), JSON.stringify({ ...manifest, files }));
    };
    replace(Buffer.concat([whole.subarray(0, whole.length / 2), Buffer.from('}}}')]));
    const fresh = target(await engine.freshOptions());
    await expect(restore(to(), fresh)).rejects.toThrow(/malformed|JSON/);
    replace(whole);
    expect(await restore(to(), fresh)).toMatchObject({ droppedOneTimeKeys: 2 });
  });

  it('do not back up a database that was never started', async () => {
    const database = await engine.freshOptions();
    await expect(backUp({ database, signingKeyPath }, to(), clock)).rejects.toThrow(
      'has the server never been started?',
    );
    const db = await openDatabase(database, testPorts());
    await expect(backUp({ database, signingKeyPath }, to(), clock)).rejects.toThrow('start the server once');
    await db.close();
  });

  it('are commands', async () => {
    const db = await engine.open({ reopenable: true });
    await fill(db);
    const run = (command: string, args: string[], database: DatabaseOptions, dataDir: string) => {
      const config = join(folder, `${command}.json`);
      const settings = database.engine === 'sqlite' ? { engine: 'sqlite' } : { engine: 'postgres', url: database.url };
      const key = command === 'backup' ? signingKeyPath : newKeyPath();
      writeFileSync(
        config,
        JSON.stringify({ server_name: serverName, data_dir: dataDir, signing_key_path: key, database: settings }),
      );
      const script = fileURLToPath(new URL(`../../../src/commands/${command}.ts`, import.meta.url));
      return promisify(execFile)(process.execPath, [script, ...args, '--config', config]);
    };
    const source = engine.optionsOf(db);
    const sourceFolder = source.engine === 'sqlite' ? join(source.path, '..') : folder;
    expect((await run('backup', ['--to', to()], source, sourceFolder)).stdout).toContain(
      'holds the database of example.org',
    );
    const fresh = await engine.freshOptions();
    const freshFolder = fresh.engine === 'sqlite' ? join(fresh.path, '..') : folder;
    const { stdout } = await run('restore', ['--from', to()], fresh, freshFolder);
    expect(stdout).toContain('2 one-time keys were dropped: some of them may have been claimed since the backup');
    const refused = run('backup', ['--to', to()], source, sourceFolder);
    await expect(refused).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^.* is not empty.*\n$/) as string,
    });
  });
});

/** Something in most kinds of columns. Gives the bodies. */
async function fill(db: GroupCommitDatabase): Promise<{ nid: number; body: Buffer }[]> {
  await bindServerName(db, serverName);
  await setServerFact(db, 'strange \u0000 name', 'strange \u{10FFFF} value');
  const written = [
    { nid: 1, body: encodeEventBody('{"text":"é𝄞"}') },
    { nid: 2, body: Buffer.from([255, 0, 1]) },
  ];
  await db.write((unit) => {
    for (const row of written) unit.run(addBody, row);
    for (let room = 0; room < 2_500; room++) unit.run(addPair, { room, nid: unit.nextPos() });
    for (let serial = 0; serial < 2; serial++) unit.run(addOneTimeKey, { device: 7, serial });
    unit.run(addRemoteList, { user: 5 });
    unit.run(addMedia, { id: 'abc', sha256: Buffer.from([1, 2, 255]) });
  }).committed;
  return written;
}

async function startWriter(database: DatabaseOptions): Promise<{
  acknowledged: { number: number; pos: number }[];
  stop(): Promise<void>;
}> {
  const child = spawn(process.execPath, [program, JSON.stringify(database)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: { number: number; pos: number }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, number, pos] = /^(\d+) (\d+)\.$/.exec(line) ?? [];
    acknowledged.push({ number: Number(number), pos: Number(pos) });
  });
  return {
    acknowledged,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}
