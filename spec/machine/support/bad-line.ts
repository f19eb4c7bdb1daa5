/**
 * A network namespace behind a line of 256 kbit/s each way that loses one packet in twenty. Wants root, iproute2 and nftables; the
 * kernel needs no netem: the rate is a token bucket's, the loss a rule of the packet filter.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

export class BadLine {
  readonly name: string;
  /** Of this side, which the namespace reaches. */
  readonly address: string;
  readonly #number: number;

  private constructor(number: number) {
    this.#number = number;
    this.name = `veche-line-${number}`;
    this.address = `10.231.${number}.1`;
  }

  /** `number`: from 0 to 255, of no other line. */
  static open(number: number): BadLine {
    const line = new BadLine(number);
    line.close();
    const [here, there] = [`vhere${number}`, `vthere${number}`];
    ip('netns', 'add', line.name);
    ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', line.name);
    ip('addr', 'add', `${line.address}/24`, 'dev', here);
    ip('link', 'set', here, 'up');
    line.run('ip', 'addr', 'add', `10.231.${number}.2/24`, 'dev', there);
    line.run('ip', 'link', 'set', there, 'up');
    const bucket = ['root', 'tbf', 'rate', '256kbit', 'burst', '4kb', 'latency', '500ms'];
    execFileSync('tc', ['qdisc', 'add', 'dev', here, ...bucket]);
    line.run('tc', 'qdisc', 'add', 'dev', there, ...bucket);
    line.run('nft', 'add', 'table', 'inet', 'loss');
    for (const hook of ['input', 'output']) {
      line.run('nft', `add chain inet loss ${hook} { type filter hook ${hook} priority 0; }`);
      line.run('nft', `add rule inet loss ${hook} numgen random mod 100 < 5 drop`);
    }
    return line;
  }

  /** A command in the namespace. Throws when it fails. */
  run(command: string, ...args: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.name, command, ...args], { encoding: 'utf8' });
  }

  /** A program of Node's in the namespace. Resolves with what it printed; rejects when it fails. */
  async runNode(file: string, ...args: readonly string[]): Promise<string> {
    const child = spawn('ip', ['netns', 'exec', this.name, process.execPath, file, ...args]);
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${file} ended with ${String(code)}: ${err}`);
    return out.trim();
  }

  close(): void {
    for (const args of [
      ['netns', 'del', this.name],
      ['link', 'del', `vhere${this.#number}`],
    ])
      try {
        execFileSync('ip', args, { stdio: 'ignore' });
      } catch {
        // It was not there.
      }
  }
}

const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
