/** HEAD of tus 1.0: where an upload is. https://tus.io/protocols/resumable-upload#head docs/resumable-uploads.md */
import { tusUploadEndpoint } from './tus-upload-endpoint.ts';

export const getTusUpload = tusUploadEndpoint('getTusUpload', 'HEAD');
