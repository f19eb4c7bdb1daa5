import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/platform/config/config.ts';
import { configSample } from '../../../src/platform/config/sample.ts';

describe('config.sample.yaml', () => {
  it('is what the definitions say; otherwise: npm run --silent print-config-sample > config.sample.yaml', () => {
    expect(readFileSync(new URL('../../../config.sample.yaml', import.meta.url), 'utf8')).toBe(configSample());
  });

  it('says the same as no configuration', () => {
    expect(loadConfig('config.sample.yaml', {})).toEqual(loadConfig(undefined, {}));
  });

  it('has examples that are valid', () => {
    const folder = mkdtempSync(join(tmpdir(), 'veche-sample-'));
    try {
      for (const name of ['cert.pem', 'key.pem', 'bridge-registration.yaml']) writeFileSync(join(folder, name), '');
      for (const example of examplesOf(configSample())) {
        const file = join(folder, 'example.yaml');
        writeFileSync(file, example);
        expect(() => loadConfig(file, {}), example).not.toThrow();
      }
      expect(examplesOf(configSample()).length).toBeGreaterThan(5);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** What stands behind "# For example:", each inside the section it belongs to. */
function examplesOf(sample: string): string[] {
  const examples: string[] = [];
  let section = '';
  const lines = sample.split('\n');
  lines.forEach((line, index) => {
    if (/^[a-z]/.test(line)) section = line;
    const indent = /^( *)# For example:$/.exec(line)?.[1];
    if (indent === undefined) return;
    const body: string[] = [];
    for (let at = index + 1; lines[at]?.startsWith(`${indent}# `) === true && !/# [A-Z]/.test(lines[at] ?? ''); at++)
      body.push((lines[at] ?? '').replace('# ', ''));
    const engine = body.join().includes('postgres://') ? ['  engine: postgres'] : [];
    examples.push([...(indent === '' ? [] : [section, ...engine]), ...body].join('\n'));
  });
  return examples;
}
