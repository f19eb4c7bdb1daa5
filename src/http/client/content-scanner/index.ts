import { downloadEncryptedContent } from './download-encrypted-content.ts';
import { downloadScannedContent } from './download-scanned-content.ts';
import { getScannedThumbnail } from './get-scanned-thumbnail.ts';
import { getScannerPublicKey } from './get-scanner-public-key.ts';
import { scanContent } from './scan-content.ts';
import { scanEncryptedContent } from './scan-encrypted-content.ts';

export const contentScannerEndpoints = [
  downloadEncryptedContent,
  downloadScannedContent,
  getScannedThumbnail,
  getScannerPublicKey,
  scanContent,
  scanEncryptedContent,
];
