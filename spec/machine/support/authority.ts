/** A certificate authority of a test, made with openssl, and certificates by it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CertificateFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class Authority {
  /** The path of its own certificate. */
  readonly certificate: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.certificate = join(folder, 'ca.pem');
  }

  /** Its files are in `folder`. Throws a sentence when there is no openssl. */
  static make(folder: string): Authority {
    if (spawnSync('openssl', ['version']).status !== 0)
      throw new Error('This test needs openssl; on Debian: apt-get install openssl');
    const authority = new Authority(folder);
    const files = ['-keyout', join(folder, 'ca.key'), '-out', authority.certificate];
    openssl('req', '-x509', ...newKey, ...files, '-days', '2', '-subj', '/CN=authority of a test');
    return authority;
  }

  /** Valid for these DNS names from now on for two days. */
  issue(names: readonly [string, ...string[]]): CertificateFiles {
    const base = join(this.#folder, names[0]);
    const [certificate, privateKey, request, extensions] = ['.pem', '.key', '.csr', '.cnf'].map(
      (end) => base + end,
    ) as [string, string, string, string];
    writeFileSync(extensions, `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\n`);
    openssl('req', ...newKey, '-keyout', privateKey, '-out', request, '-subj', `/CN=${names[0]}`);
    const signing = ['-CA', this.certificate, '-CAkey', join(this.#folder, 'ca.key'), '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', request, ...signing, '-extfile', extensions, '-out', certificate);
    return { certificate, privateKey };
  }
}

const openssl = (...args: readonly string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });
