import { compileGlob, type Glob } from '../../matrix/glob/glob.ts';
import { parseServerName } from '../../matrix/ids/server-name.ts';

/** Names of servers with the wildcards * and ?; upper and lower case are one, and a port counts only where a pattern has one. */
export class ServerPatterns {
  readonly #literals = new Set<string>();
  readonly #globs: readonly Glob[];

  constructor(patterns: readonly string[]) {
    const globs = patterns.map((pattern) => compileGlob(pattern.toLowerCase()));
    for (const { literal } of globs) if (literal !== undefined) this.#literals.add(literal);
    this.#globs = globs.filter(({ literal }) => literal === undefined);
  }

  matches(server: string): boolean {
    const name = server.toLowerCase();
    const host = parseServerName(name)?.host ?? name;
    return this.#matchesText(name) || (host !== name && this.#matchesText(host));
  }

  #matchesText(text: string): boolean {
    return this.#literals.has(text) || this.#globs.some((glob) => glob.matches(text));
  }
}
