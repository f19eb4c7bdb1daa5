/** PATCH of tus 1.0. https://tus.io/protocols/resumable-upload#patch docs/resumable-uploads.md */
import { tusUploadEndpoint } from './tus-upload-endpoint.ts';

export const appendTusUpload = tusUploadEndpoint('appendTusUpload', 'PATCH');
