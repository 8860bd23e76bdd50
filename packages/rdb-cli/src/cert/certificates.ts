// Before the library that needs it.
import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { RdbError } from "@flaredb/rdb-base";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  cryptoProvider,
} from "@peculiar/x509";

cryptoProvider.set(webcrypto);

/** ECDSA on P-256: what every TLS of today takes. */
const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING_ALGORITHM = { name: "ECDSA", hash: "SHA-256" } as const;

/** From when to when a certificate counts. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate and its private key, as PEM. */
export interface CertificatePair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** A certificate authority: signs itself, and others. */
export async function createAuthority(name: string, validity: Validity): Promise<CertificatePair> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: commonName(name),
    keys,
    signingAlgorithm: SIGNING_ALGORITHM,
    ...validity,
    extensions: [
      // It signs what stands at the end of a chain, and no further authorities.
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: pemOf(certificate), keyPem: keyPemOf(keys.privateKey) };
}

export interface CertificateRequest extends Validity {
  readonly name: string;
  /** Names and IP addresses at which its owner is reached; none for who only calls. */
  readonly hosts: readonly string[];
}

/**
 * A certificate for one process, signed by the authority: to listen with, and to call others with.
 *
 * @throws RdbError RDB_CONFIG_INVALID when the authority's key is none that this program makes
 */
export async function issueCertificate(
  authority: CertificatePair,
  { name, hosts, notBefore, notAfter }: CertificateRequest,
): Promise<CertificatePair> {
  const keys = await generateKeys();
  const issuer = new X509Certificate(authority.certificatePem);
  const certificate = await X509CertificateGenerator.create({
    subject: commonName(name),
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: await signingKeyOf(authority.keyPem),
    signingAlgorithm: SIGNING_ALGORITHM,
    ...{ notBefore, notAfter },
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      ...(hosts.length === 0 ? [] : [new SubjectAlternativeNameExtension(hosts.map(alternativeName))]),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: pemOf(certificate), keyPem: keyPemOf(keys.privateKey) };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
}

function commonName(name: string): Name {
  return new Name([{ CN: [name] }]);
}

function alternativeName(host: string): { readonly type: "ip" | "dns"; readonly value: string } {
  return { type: isIP(host) === 0 ? "dns" : "ip", value: host };
}

function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

function keyPemOf(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: "pkcs8", format: "pem" }).toString();
}

async function signingKeyOf(keyPem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(keyPem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  try {
    return await webcrypto.subtle.importKey("pkcs8", der, KEY_ALGORITHM, false, ["sign"]);
  } catch (error) {
    throw new RdbError(
      "RDB_CONFIG_INVALID",
      "the authority's key cannot be used: it must be one of ECDSA on P-256, as PKCS #8 in PEM",
      { cause: error },
    );
  }
}
