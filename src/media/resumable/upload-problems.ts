/** What can be wrong with a resumable upload, as errors of Matrix that are problem details of the IETF's draft as well. */
import { MatrixError } from '../../matrix/errors.ts';

/** Problem types of draft-ietf-httpbis-resumable-upload. */
export type UploadProblem = 'mismatching-upload-offset' | 'completed-upload' | 'inconsistent-upload-length';

/** RFC 9457. */
export class UploadProblemError extends MatrixError {
  /** Where the upload is, for the Upload-Offset header. */
  readonly offsetBytes: number | undefined;

  constructor(
    status: number,
    errcode: string,
    problem: UploadProblem,
    title: string,
    members: { readonly [name: string]: number } = {},
  ) {
    const type = `https://iana.org/assignments/http-problem-types#${problem}`;
    super(status, errcode, title, { type, title, ...members });
    this.offsetBytes = members['expected-offset'];
  }
}

export const mismatchingOffset = (expectedBytes: number, providedBytes: number): UploadProblemError =>
  new UploadProblemError(
    409,
    'ORG.VECHE_UPLOAD_OFFSET',
    'mismatching-upload-offset',
    'The upload continues at another offset',
    { 'expected-offset': expectedBytes, 'provided-offset': providedBytes },
  );

export const completedUpload = (): UploadProblemError =>
  new UploadProblemError(400, 'ORG.VECHE_UPLOAD_COMPLETED', 'completed-upload', 'The upload is complete');

export const inconsistentLength = (): UploadProblemError =>
  new UploadProblemError(
    400,
    'ORG.VECHE_UPLOAD_LENGTH',
    'inconsistent-upload-length',
    'What was said of the length of the upload, and what came, do not agree',
  );
