import { compileGlob, type Glob } from '../../matrix/glob/glob.ts';

export interface UrlPatterns {
  /** Where there are any, no other URLs are asked for. */
  readonly allowed: readonly string[];
  readonly blocked: readonly string[];
}

/**
 * Which URLs may be asked for. A pattern is a host ("*.example.org"), a host and a path ("example.org/private/*") or begins with a
 * scheme ("http://*"); `*` and `?` stand for any characters and for one. Upper and lower case are the same.
 */
export class UrlRules {
  readonly #allowed: readonly Pattern[];
  readonly #blocked: readonly Pattern[];

  constructor({ allowed, blocked }: UrlPatterns) {
    this.#allowed = allowed.map(compilePattern);
    this.#blocked = blocked.map(compilePattern);
  }

  /** Whether patterns and port let it be asked for; the address is for OutgoingHttp to judge. */
  allows(url: URL): boolean {
    if (!isWebPort(url.port)) return false;
    const forms = formsOf(url);
    const isMatched = (pattern: Pattern): boolean => pattern(forms);
    return (this.#allowed.length === 0 || this.#allowed.some(isMatched)) && !this.#blocked.some(isMatched);
  }
}

interface UrlForms {
  readonly host: string;
  readonly withoutScheme: readonly string[];
  readonly whole: readonly string[];
}
type Pattern = (forms: UrlForms) => boolean;

function compilePattern(text: string): Pattern {
  const glob: Glob = compileGlob(text.toLowerCase());
  if (text.includes('://')) return ({ whole }) => whole.some((url) => glob.matches(url));
  if (text.includes('/')) return ({ withoutScheme }) => withoutScheme.some((url) => glob.matches(url));
  return ({ host }) => glob.matches(host);
}

/** A path is compared as it is written and as it is meant, so that an escape hides nothing. */
function formsOf(url: URL): UrlForms {
  const host = url.hostname.replace(/\.+$/, '');
  const port = url.port === '' ? '' : `:${url.port}`;
  const paths = [url.pathname + url.search, unescaped(url.pathname + url.search)].map((path) => path.toLowerCase());
  return {
    host,
    withoutScheme: paths.map((path) => host + port + path),
    whole: paths.map((path) => `${url.protocol}//${host}${port}${path}`),
  };
}

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/**
 * Pages are at 80, 443 and where no other service is known to listen, so that a preview cannot be made to speak to a mail server.
 * Above 1023 these are the ports that browsers do not open. https://fetch.spec.whatwg.org/#port-blocking
 */
function isWebPort(port: string): boolean {
  if (port === '') return true;
  const number = Number(port);
  return number < 1024 ? number === 80 || number === 443 : !otherServices.has(number);
}
const otherServices: ReadonlySet<number> = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);
