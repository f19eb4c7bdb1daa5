import { isMediaId } from '../../../matrix/ids/mxc-uri.ts';
import { type Decoder, parsed } from '../../decode.ts';

/** What stands last in an mxc URI. */
export const mediaId = (): Decoder<string> => parsed('a media ID', (text) => (isMediaId(text) ? text : undefined));
