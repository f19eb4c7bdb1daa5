import { claimUserEncryptionKeys } from './claim-user-encryption-keys.ts';
import { getUserDevices } from './get-user-devices.ts';
import { queryUserEncryptionKeys } from './query-user-encryption-keys.ts';

export const userKeyEndpoints = [claimUserEncryptionKeys, getUserDevices, queryUserEncryptionKeys] as const;
