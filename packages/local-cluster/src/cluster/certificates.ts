// What @peculiar/x509 finds its parts with; it has to be there before.
import "reflect-metadata";
import { createPrivateKey, generateKeyPairSync, KeyObject, webcrypto } from "node:crypto";
import { isIPv4 } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate and its key, both PEM. */
export interface Credential {
  readonly certificate: string;
  readonly key: string;
}

/** Who a certificate speaks for: Kubernetes reads the user from the common name, the groups from the organisations. */
export interface Subject {
  readonly commonName: string;
  readonly organisations?: readonly string[];
}

export interface CertificateRequest {
  readonly subject: Subject;
  /** Names and IPv4 addresses that a server with this certificate is reached by; without them it is for clients alone. */
  readonly serverNames?: readonly string[];
  readonly validFrom: Date;
}

const validYears = 10;
/** Clocks of containers and virtual machines jump; a certificate made now is valid a little before. */
const backdateMs = 3_600_000;

const keyAlgorithm = { name: "ECDSA", namedCurve: "P-256" };
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };

/** Makes a certificate authority with a fresh P-256 key. */
export async function createAuthority(commonName: string, validFrom: Date): Promise<Credential> {
  const keys = await freshKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: nameOf({ commonName }),
    keys,
    signingAlgorithm,
    ...validity(validFrom),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pemOf(certificate), key: pemOfKey(keys.privateKey) };
}

/** Makes a certificate, and its fresh P-256 key, signed by the authority. */
export async function issueCertificate(
  authority: Credential,
  request: CertificateRequest,
): Promise<Credential> {
  const keys = await freshKeys();
  const issuer = new X509Certificate(authority.certificate);
  const serverNames = request.serverNames ?? [];
  const isServer = serverNames.length > 0;
  const names = serverNames.map((value) => ({ type: isIPv4(value) ? "ip" : "dns", value }) as const);
  const certificate = await X509CertificateGenerator.create({
    subject: nameOf(request.subject),
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: createPrivateKey(authority.key).toCryptoKey(keyAlgorithm, false, ["sign"]),
    signingAlgorithm,
    ...validity(request.validFrom),
    extensions: [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([
        ...(isServer ? [ExtendedKeyUsage.serverAuth] : []),
        ExtendedKeyUsage.clientAuth,
      ]),
      await issuerIdentifier(issuer),
      ...(isServer ? [new SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { certificate: pemOf(certificate), key: pemOfKey(keys.privateKey) };
}

/** A key pair for signing service account tokens, PEM. */
export function createTokenKey(): { readonly privateKey: string; readonly publicKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}

/**
 * As the authority's own certificate has it: how it is made of a key is free, and those of clusters made by version 0.2 are other
 * ones than are made today.
 */
async function issuerIdentifier(issuer: X509Certificate): Promise<Extension> {
  const own = issuer.getExtension(SubjectKeyIdentifierExtension);
  return own === null
    ? await AuthorityKeyIdentifierExtension.create(issuer.publicKey)
    : new AuthorityKeyIdentifierExtension(own.keyId);
}

function validity(validFrom: Date): { readonly notBefore: Date; readonly notAfter: Date } {
  const notBefore = new Date(validFrom.getTime() - backdateMs);
  const notAfter = new Date(notBefore);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + validYears);
  return { notBefore, notAfter };
}

function nameOf({ commonName, organisations = [] }: Subject): JsonName {
  return [...organisations.map((organisation) => ({ O: [organisation] })), { CN: [commonName] }];
}

async function freshKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(keyAlgorithm, true, ["sign", "verify"]);
}

function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

function pemOfKey(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: "pkcs8", format: "pem" }).toString();
}
