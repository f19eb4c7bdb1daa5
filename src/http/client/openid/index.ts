import { requestOpenIdToken } from './request-open-id-token.ts';

export const openIdEndpoints = [requestOpenIdToken];
