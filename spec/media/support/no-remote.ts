import { notFound } from '../../../src/matrix/errors.ts';
import type { MediaContext } from '../../../src/media/context.ts';
import type { RemoteContents } from '../../../src/media/ports.ts';

const nothing = (): Promise<never> => Promise.reject(notFound('there are no other servers in this test'));
/** Where there are no other servers. */
export const noRemoteContents: RemoteContents = { open: nothing };
export const noRemote: MediaContext['remote'] = { find: nothing, findOrFollow: nothing };
