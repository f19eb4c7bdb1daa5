/** Reading the configuration again while the server runs. */
import type { Logger } from '../log.ts';
import type { Counter, Metrics } from '../metrics.ts';
import { OperatorError } from '../operator-error.ts';
import { configChanges } from './config-changes.ts';
import type { Config } from './config.ts';

/** Keys were changed that count after a restart only; nothing was changed. */
export class FixedKeysChanged extends OperatorError {
  override readonly name = 'FixedKeysChanged';
  /** As in the file. */
  readonly keys: readonly string[];

  constructor(keys: readonly string[]) {
    super(`nothing was reloaded: ${keys.join(', ')} can only be changed by a restart`);
    this.keys = keys;
  }
}

/** Makes ready what a new configuration needs, and may throw. What it gives makes that count, and must not throw. */
export type PrepareReload = (next: Config) => (() => void) | Promise<() => void>;

export interface Reloaded {
  /** The keys that have another value now, as in the file. */
  readonly changed: readonly string[];
}

export interface ConfigReloadParts {
  /** Reads it from where it came from. Throws ConfigError. */
  readonly readAgain: () => Config;
  readonly metrics: Metrics;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** The configuration that counts. It changes whole or not at all. */
export class ConfigReload {
  readonly #parts: ConfigReloadParts;
  readonly #reloads: Counter<'outcome'>;
  readonly #prepare: PrepareReload[] = [];
  #current: Config;
  #last: Promise<unknown> = Promise.resolve();

  constructor(config: Config, parts: ConfigReloadParts) {
    this.#current = config;
    this.#parts = parts;
    const help = 'How often the configuration was read again.';
    this.#reloads = parts.metrics.counter('veche_config_reloads_total', help, ['outcome']);
  }

  get current(): Config {
    return this.#current;
  }

  add(prepare: PrepareReload): void {
    this.#prepare.push(prepare);
  }

  /**
   * One after another. Rejects with a sentence for the operator, and then nothing has changed: ConfigError with every mistake,
   * FixedKeysChanged, and what the parts of the server have against it.
   */
  reload(): Promise<Reloaded> {
    const reloaded = this.#last.then(() => this.#reload());
    this.#last = reloaded.catch(() => undefined);
    return reloaded;
  }

  async #reload(): Promise<Reloaded> {
    try {
      const next = this.#parts.readAgain();
      const { reloadable, fixed } = configChanges(this.#current, next);
      if (fixed.length > 0) throw new FixedKeysChanged(fixed);
      const applies = await Promise.all(this.#prepare.map(async (prepare) => prepare(next)));
      this.#current = next;
      for (const apply of applies) apply();
      this.#reloads.add({ outcome: 'done' });
      this.#parts.log.info({ changed: reloadable }, 'the configuration was read again');
      return { changed: reloadable };
    } catch (error) {
      this.#reloads.add({ outcome: 'refused' });
      this.#parts.log.warn({ err: error }, 'the configuration was read again, and nothing was changed');
      throw error;
    }
  }
}
