import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-commands-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(command: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const script = new URL(`../../src/commands/${command}.ts`, import.meta.url).pathname;
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

describe('check-config', () => {
  it('names each mistake on a line of standard error and exits with 1', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'server_name: example.org\nlisteners: 5\npresense: { enabled: true }\n');
    expect(await run('check-config', file)).toEqual({
      code: 1,
      out: '',
      err: `${file}:2: listeners: must be a list, not 5\n${file}:3: presense: there is no such key; presence was probably meant\n`,
    });
  });

  it('says when there is none, and exits with 0', async () => {
    expect(await run('check-config', 'config.sample.yaml')).toEqual({
      code: 0,
      out: 'config.sample.yaml: no mistakes\n',
      err: '',
    });
  });

  it('tells a command line from a mistake', async () => {
    expect(await run('check-config')).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('FILE is missing') as string,
    });
    expect(await run('check-config', join(folder, 'absent'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('ENOENT') as string,
    });
  });
});

describe('print-config-sample', () => {
  it('prints the sample and nothing else', async () => {
    const sample = readFileSync(new URL('../../config.sample.yaml', import.meta.url), 'utf8');
    expect(await run('print-config-sample')).toEqual({ code: 0, out: sample, err: '' });
  });
});
