import { readFileSync } from 'node:fs';
import type { Config } from './config/config.ts';
import type { OutgoingPolicies } from './outgoing-http.ts';

/** What the configuration says about outgoing requests; reads the certificates of the authorities to trust. */
export function outgoingPolicies(config: Pick<Config, 'federation' | 'outgoing'>): OutgoingPolicies {
  const { allowPrivateAddresses, caCertificates, verifyTls } = config.federation;
  return {
    federation: {
      allowPrivateAddresses,
      caCertificates: caCertificates.map((file) => readFileSync(file, 'utf8')),
      verifyTls,
    },
    general: { ...config.outgoing, caCertificates: [], verifyTls: true },
  };
}
