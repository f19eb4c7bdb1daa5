import type { Config } from '../../platform/config/config.ts';
import type { OutgoingSockets } from '../../platform/ports.ts';
import { Clamd } from './clamd.ts';
import { ContentScans, type ContentScansOptions } from './content-scans.ts';

type Settings = Config['media'];
type Dependencies = Omit<ContentScansOptions, 'scanner' | 'settings'> & {
  readonly settings: Settings;
  readonly sockets: OutgoingSockets;
};

/** The configured scanner; undefined: none. */
export function openScans({ settings, sockets, ...others }: Dependencies): ContentScans | undefined {
  const { scanner } = settings;
  if (scanner.clamd === undefined) return undefined;
  return new ContentScans({ ...others, scanner: new Clamd(sockets, scanner.clamd), settings: scanner });
}

/** What can never be served need not be uploaded or fetched. */
export function withoutLargerFiles(settings: Settings): Settings {
  const { clamd, largerFiles, streamBytesMax } = settings.scanner;
  if (clamd === undefined || largerFiles === 'serve') return settings;
  const { uploadBytesMax, remoteBytesMax = uploadBytesMax } = settings;
  return {
    ...settings,
    uploadBytesMax: Math.min(uploadBytesMax, streamBytesMax),
    remoteBytesMax: Math.min(remoteBytesMax, streamBytesMax),
  };
}
