/**
 * When and from where devices were last seen. Requests only note it in memory; it is written every few minutes, each device
 * at most once, so that a request writes no row. What is not written yet is shown all the same.
 */
import { limits } from '../platform/limits.ts';
import type { TimerHandle } from '../platform/ports.ts';
import { setDeviceSeen } from '../storage/stores/device-store.ts';
import type { AccountsContext, ClientAddress } from './context.ts';

export interface DeviceSeen {
  readonly tsMs: number;
  readonly address: string;
  readonly userAgent: string | undefined;
}

export class DeviceActivity {
  readonly #ctx: Pick<AccountsContext, 'db' | 'clock' | 'timers'>;
  #pending = new Map<number, DeviceSeen>();
  #timer: TimerHandle | undefined;

  constructor(ctx: Pick<AccountsContext, 'db' | 'clock' | 'timers'>) {
    this.#ctx = ctx;
  }

  seen(deviceNid: number, client: ClientAddress): void {
    const { address, userAgent } = client;
    this.#pending.set(deviceNid, { tsMs: this.#ctx.clock.nowMs(), address, userAgent });
    this.#timer ??= this.#ctx.timers.after(limits.deviceSeenWriteMs, () => void this.#flushOnTime());
  }

  /** What is newer than the database. */
  find(deviceNid: number): DeviceSeen | undefined {
    return this.#pending.get(deviceNid);
  }

  /** Writes everything now, as before a shutdown. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const devices = [...this.#pending];
    this.#pending = new Map();
    for (let from = 0; from < devices.length; from += devicesPerUnit)
      await this.#write(devices.slice(from, from + devicesPerUnit));
  }

  async #write(devices: readonly (readonly [number, DeviceSeen])[]): Promise<void> {
    await this.#ctx.db.write((unit) => {
      for (const [device, { tsMs, address, userAgent }] of devices)
        unit.run(setDeviceSeen, { device, ts: tsMs, ip: address, userAgent: userAgent ?? null });
    }).committed;
  }

  /** Nobody waits for this, and a time that was not written is overtaken by the next one: a failure costs nothing. */
  async #flushOnTime(): Promise<void> {
    await this.flush().catch(() => undefined);
  }
}

/** So that no commit has to wait long for these. */
const devicesPerUnit = 200;
