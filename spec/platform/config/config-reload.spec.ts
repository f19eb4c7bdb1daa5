import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/platform/config/config.ts';
import { configChanges } from '../../../src/platform/config/config-changes.ts';
import { ConfigReload } from '../../../src/platform/config/config-reload.ts';
import { Metrics } from '../../../src/platform/metrics.ts';
import { OperatorError } from '../../../src/platform/operator-error.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-reload-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const configOf = (yaml: string) => {
  writeFileSync(join(folder, 'config.yaml'), yaml);
  return loadConfig(join(folder, 'config.yaml'), {});
};

describe('configChanges', () => {
  it('tells what counts at once from what needs a restart, by key', () => {
    const before = configOf('federation: { deny: { both: [a.example] } }\nlog: { level: info, format: json }');
    expect(configChanges(before, before)).toEqual({ reloadable: [], fixed: [] });
    const after = configOf(
      'federation: { deny: { both: [b.example] }, enabled: false }\nlog: { level: debug, format: pretty }\nrate_limits: { send: { burst: 7 } }',
    );
    expect(configChanges(before, after)).toEqual({
      reloadable: ['rate_limits.send.burst', 'federation.deny.both', 'log.level'],
      fixed: ['federation.enabled', 'log.format'],
    });
  });

  it('sees that secrets and lists differ, and that they do not', () => {
    const [one, same, other] = ['a', 'a', 'b'].map((secret) =>
      configOf(
        `registration: { shared_secret: ${secret} }\nsupport: { contacts: [{ role: m.role.admin, matrix_id: '@${secret}:x.org' }] }`,
      ),
    );
    expect(configChanges(one!, same!).fixed).toEqual([]);
    expect(configChanges(one!, other!).fixed).toEqual(['registration.shared_secret', 'support.contacts']);
  });
});

describe('ConfigReload', () => {
  const quiet = { info: () => undefined, warn: () => undefined };
  const start = (read: () => ReturnType<typeof loadConfig>) => {
    const metrics = new Metrics({ process: false });
    return { metrics, reload: new ConfigReload(read(), { readAgain: read, metrics, log: quiet }) };
  };

  it('lets everything count together, or nothing', async () => {
    let yaml = 'log: { level: info }';
    const { reload, metrics } = start(() => configOf(yaml));
    const seen: string[] = [];
    let refuses = true;
    reload.add((next) => () => void seen.push(next.log.level));
    reload.add(() => {
      if (refuses) throw new OperatorError('not so');
      return () => void seen.push('other');
    });
    yaml = 'log: { level: debug }';
    await expect(reload.reload()).rejects.toThrow('not so');
    expect([seen, reload.current.log.level]).toEqual([[], 'info']);
    refuses = false;
    expect(await reload.reload()).toEqual({ changed: ['log.level'] });
    expect([seen, reload.current.log.level]).toEqual([['debug', 'other'], 'debug']);
    const text = await metrics.text();
    expect(text).toContain('veche_config_reloads_total{outcome="done"} 1');
    expect(text).toContain('veche_config_reloads_total{outcome="refused"} 1');
  });

  it('refuses mistakes and what needs a restart, by name', async () => {
    let yaml = 'log: { level: info }';
    const { reload } = start(() => configOf(yaml));
    yaml = 'log: { level: loud }\nfederation: { deny: { both: 7 } }';
    await expect(reload.reload()).rejects.toThrow(
      /config.yaml:1: log.level: .*\n.*config.yaml:2: federation.deny.both/,
    );
    yaml = 'log: { level: debug, format: json }\npresence: { enabled: false }';
    await expect(reload.reload()).rejects.toMatchObject({ keys: ['presence.enabled', 'log.format'] });
    expect(reload.current.log.level).toBe('info');
  });

  it('is done once at a time', async () => {
    const { reload } = start(() => configOf(''));
    const steps: string[] = [];
    let turn = 0;
    reload.add(async () => {
      const mine = turn++;
      steps.push(`begin ${mine}`);
      await Promise.resolve();
      return () => void steps.push(`end ${mine}`);
    });
    await Promise.all([reload.reload(), reload.reload()]);
    expect(steps).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1']);
  });
});
