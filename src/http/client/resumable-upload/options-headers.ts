import { resumablePath } from './upload-exchange.ts';

/**
 * What OPTIONS says at a path beside who may call: names and values in turn. Clients ask for it to learn whether uploads can
 * be resumed, and how large they may be.
 */
export function optionsHeaders({
  uploadBytesMax,
}: {
  readonly uploadBytesMax: number;
}): (path: string) => readonly string[] {
  const accepted = ['Accept-Patch', 'application/partial-upload', 'Upload-Limit', `max-size=${uploadBytesMax}`];
  const tus = [
    'Tus-Resumable',
    '1.0.0',
    'Tus-Version',
    '1.0.0',
    'Tus-Max-Size',
    String(uploadBytesMax),
    'Tus-Extension',
    'creation,creation-with-upload,creation-defer-length,termination,expiration',
  ];
  return (path) => {
    if (path.startsWith(`${resumablePath}/tus`)) return tus;
    return path.startsWith(`${resumablePath}/upload`) ? accepted : [];
  };
}
