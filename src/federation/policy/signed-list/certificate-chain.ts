/** Certificates as they stand in the x5c header. https://www.rfc-editor.org/rfc/rfc7515#section-4.1.6 */
import { X509Certificate } from 'node:crypto';
import { ListRefused } from './list-refused.ts';

export interface Trust {
  readonly authorities: readonly X509Certificate[];
  /** Common names or DNS names, one of which the certificate must have; an empty list: any certificate of the authorities. */
  readonly signers: readonly string[];
}

/** The certificates of PEM text. Throws the system's error for text that is none. */
export const certificatesOf = (pem: string): readonly X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map(
    (text) => new X509Certificate(text),
  );

/**
 * The first certificate, if each was issued by the next one and the last by one of the authorities, and all are valid at the time.
 * Throws ListRefused. Revocation and path lengths are not looked at.
 */
export function signerOfChain(x5c: unknown, { authorities, signers }: Trust, nowTs: number): X509Certificate {
  const chain = readChain(x5c);
  for (const certificate of chain) assertValid(certificate, nowTs);
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer !== undefined && !isIssuedBy(certificate, issuer))
      throw new ListRefused(`the certificate of ${nameOf(certificate)} was not issued by that of ${nameOf(issuer)}`);
  }
  const last = chain[chain.length - 1]!;
  const authority = authorities.find((one) => one.fingerprint256 === last.fingerprint256 || isIssuedBy(last, one));
  if (authority === undefined)
    throw new ListRefused(`the certificate of ${nameOf(last)} was issued by nobody who is trusted for it`);
  assertValid(authority, nowTs);
  const signer = chain[0]!;
  if (signers.length > 0 && !signers.some((name) => isNamed(signer, name)))
    throw new ListRefused(`it is signed by ${nameOf(signer)}, who is none of its signers`);
  return signer;
}

function readChain(x5c: unknown): readonly X509Certificate[] {
  if (!Array.isArray(x5c) || x5c.length === 0 || x5c.length > certificatesMax)
    throw new ListRefused(`its header must have x5c, a list of 1 to ${certificatesMax} certificates`);
  return x5c.map((entry: unknown) => {
    if (typeof entry !== 'string') throw new ListRefused('its x5c has an entry that is no text');
    try {
      return new X509Certificate(Buffer.from(entry, 'base64'));
    } catch (error) {
      throw new ListRefused('its x5c has an entry that is no certificate', { cause: error });
    }
  });
}

const certificatesMax = 6;

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function assertValid(certificate: X509Certificate, nowTs: number): void {
  if (certificate.validFromDate.getTime() > nowTs)
    throw new ListRefused(`the certificate of ${nameOf(certificate)} is not valid yet`);
  if (certificate.validToDate.getTime() < nowTs)
    throw new ListRefused(`the certificate of ${nameOf(certificate)} has expired`);
}

function isNamed(certificate: X509Certificate, name: string): boolean {
  return (
    commonNames(certificate).includes(name) ||
    certificate.checkHost(name, { subject: 'never', wildcards: false }) !== undefined
  );
}

const nameOf = (certificate: X509Certificate): string =>
  commonNames(certificate)[0] ?? certificate.subject.replaceAll('\n', ', ');

function commonNames(certificate: X509Certificate): readonly string[] {
  const { CN: names } = certificate.toLegacyObject().subject as { readonly CN?: string | readonly string[] };
  return names === undefined ? [] : typeof names === 'string' ? [names] : names;
}
