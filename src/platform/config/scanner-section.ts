/** Looking for malware in files. */
import type { SocketAddress } from '../ports.ts';
import * as kind from './kinds.ts';
import { field, section } from './sections.ts';

const socketAddress = kind.text<SocketAddress>(
  'the path of a socket, such as /run/clamav/clamd.ctl, or host:port',
  (value) => {
    if (value.startsWith('/') && !value.includes('\0')) return { path: value };
    const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(value) ?? [];
    const [host, port] = [bracketed ?? plain, Number(digits)];
    return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
  },
);

export const scannerSection = section('Looking for malware in files, before they are served (docs/scanning.md).', {
  clamd: field(
    kind.nullable(socketAddress),
    null,
    "Where ClamAV's daemon listens: the path of its socket (/run/clamav/clamd.ctl), or host:port. null: nothing is scanned.",
  ),
  timeout_seconds: field(kind.integer(1, 3_600), 60, 'How long the scan of one file may take.'),
  stream_bytes_max: field(
    kind.integer(1, Number.MAX_SAFE_INTEGER),
    26_214_400,
    'The largest file that the scanner takes: StreamMaxLength of clamd.conf. The default is that of Debian.',
  ),
  larger_files: field(
    kind.oneOf('refuse', 'serve'),
    'refuse',
    'refuse: larger ones cannot be uploaded, and are not served. serve: they are not scanned.',
  ),
  unanswered: field(
    kind.oneOf('refuse', 'serve'),
    'refuse',
    'What becomes of files that are not scanned yet while the scanner gives no answer. refuse: 503, come again.',
  ),
  rescan_days: field(
    kind.nullable(kind.integer(0, 3_650)),
    7,
    'After so many days a verdict counts only as long as the scanner has the same signatures. null: it counts for ever.',
  ),
  allow_unauthenticated: field(
    kind.boolean(),
    false,
    'Whether the API for encrypted files can be used without an access token, as the one of matrix-content-scanner can.',
  ),
});
