/** DELETE of tus 1.0, extension termination. https://tus.io/protocols/resumable-upload#termination docs/resumable-uploads.md */
import { tusUploadEndpoint } from './tus-upload-endpoint.ts';

export const cancelTusUpload = tusUploadEndpoint('cancelTusUpload', 'DELETE');
