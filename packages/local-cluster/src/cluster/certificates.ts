import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import {
  bitString,
  boolean,
  contextConstructed,
  contextPrimitive,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from "./distinguished-encoding.ts";

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

/** Makes a certificate authority with a fresh P-256 key. */
export function createAuthority(commonName: string, validFrom: Date): Credential {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = { commonName };
  const keyIdentifier = identifierOf(publicKey);
  const certificate = signCertificate({
    subject,
    issuer: subject,
    publicKey,
    signingKey: privateKey,
    validFrom,
    extensions: [
      extension(extensionIds.basicConstraints, true, sequence(boolean(true))),
      // keyCertSign and cRLSign.
      extension(extensionIds.keyUsage, true, bitString(Buffer.from([0x06]), 1)),
      extension(extensionIds.subjectKeyIdentifier, false, octetString(keyIdentifier)),
    ],
  });
  return { certificate, key: pemOfKey(privateKey) };
}

/** Makes a certificate, and its fresh P-256 key, signed by the authority. */
export function issueCertificate(authority: Credential, request: CertificateRequest): Credential {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signingKey = createPrivateKey(authority.key);
  const serverNames = request.serverNames ?? [];
  const usages = [objectIdentifier(usageIds.clientAuthentication)];
  if (serverNames.length > 0) usages.unshift(objectIdentifier(usageIds.serverAuthentication));
  const certificate = signCertificate({
    subject: request.subject,
    issuer: { commonName: commonNameOf(authority.certificate) },
    publicKey,
    signingKey,
    validFrom: request.validFrom,
    extensions: [
      // digitalSignature.
      extension(extensionIds.keyUsage, true, bitString(Buffer.from([0x80]), 7)),
      extension(extensionIds.extendedKeyUsage, false, sequence(...usages)),
      extension(
        extensionIds.authorityKeyIdentifier,
        false,
        sequence(contextPrimitive(0, identifierOf(new X509Certificate(authority.certificate).publicKey))),
      ),
      ...(serverNames.length === 0
        ? []
        : [extension(extensionIds.subjectAlternativeName, false, sequence(...serverNames.map(generalName)))]),
    ],
  });
  return { certificate, key: pemOfKey(privateKey) };
}

/** A key pair for signing service account tokens, PEM. */
export function createTokenKey(): { readonly privateKey: string; readonly publicKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    privateKey: pemOfKey(privateKey),
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}

const algorithm = "1.2.840.10045.4.3.2"; // ecdsa-with-SHA256

const extensionIds = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAlternativeName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
};

const usageIds = {
  serverAuthentication: "1.3.6.1.5.5.7.3.1",
  clientAuthentication: "1.3.6.1.5.5.7.3.2",
};

const nameIds = { commonName: "2.5.4.3", organisation: "2.5.4.10" };

function signCertificate(about: {
  readonly subject: Subject;
  readonly issuer: Subject;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly validFrom: Date;
  readonly extensions: readonly Buffer[];
}): string {
  const start = new Date(about.validFrom.getTime() - backdateMs);
  const end = new Date(start);
  end.setUTCFullYear(end.getUTCFullYear() + validYears);
  const signatureAlgorithm = sequence(objectIdentifier(algorithm));
  const body = sequence(
    contextConstructed(0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    signatureAlgorithm,
    distinguishedName(about.issuer),
    sequence(time(start), time(end)),
    distinguishedName(about.subject),
    about.publicKey.export({ type: "spki", format: "der" }),
    contextConstructed(3, sequence(...about.extensions)),
  );
  const signature = sign("sha256", body, about.signingKey);
  return pem("CERTIFICATE", sequence(body, signatureAlgorithm, bitString(signature)));
}

function distinguishedName(subject: Subject): Buffer {
  const part = (id: string, text: string) => set(sequence(objectIdentifier(id), utf8String(text)));
  return sequence(
    ...(subject.organisations ?? []).map((organisation) => part(nameIds.organisation, organisation)),
    part(nameIds.commonName, subject.commonName),
  );
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function generalName(name: string): Buffer {
  return /^\d+\.\d+\.\d+\.\d+$/.test(name)
    ? contextPrimitive(7, Buffer.from(name.split(".").map(Number)))
    : contextPrimitive(2, Buffer.from(name, "ascii"));
}

function identifierOf(publicKey: KeyObject): Buffer {
  return createHash("sha1")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest();
}

function commonNameOf(certificate: string): string {
  const subject = new X509Certificate(certificate).subject;
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? subject;
}

function pemOfKey(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
