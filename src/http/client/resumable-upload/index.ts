import { appendResumableUpload } from './append-resumable-upload.ts';
import { appendTusUpload } from './append-tus-upload.ts';
import { cancelResumableUpload } from './cancel-resumable-upload.ts';
import { cancelTusUpload } from './cancel-tus-upload.ts';
import { createResumableUpload } from './create-resumable-upload.ts';
import { createTusUpload } from './create-tus-upload.ts';
import { getResumableUpload } from './get-resumable-upload.ts';
import { getTusUpload } from './get-tus-upload.ts';
import { overrideTusUpload } from './override-tus-upload.ts';

export const resumableUploadEndpoints = [
  appendResumableUpload,
  appendTusUpload,
  cancelResumableUpload,
  cancelTusUpload,
  createResumableUpload,
  createTusUpload,
  getResumableUpload,
  getTusUpload,
  overrideTusUpload,
];
