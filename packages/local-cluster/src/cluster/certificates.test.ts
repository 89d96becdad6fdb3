import "reflect-metadata";
import { KeyObject, webcrypto, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:tls";
import {
  BasicConstraintsExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { describe, expect, it } from "vitest";
import { createAuthority, issueCertificate } from "./certificates.ts";

const validFrom = new Date("2026-05-01T12:00:00Z");
const authority = await createAuthority("modelswitch-test", validFrom);

describe("certificates", () => {
  it("makes an authority that signs itself", () => {
    const parsed = new X509Certificate(authority.certificate);
    expect(parsed.ca).toBe(true);
    expect(parsed.subject).toBe("CN=modelswitch-test");
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(new Date(parsed.validFrom).toISOString()).toBe("2026-05-01T11:00:00.000Z");
    expect(new Date(parsed.validTo).getUTCFullYear()).toBe(2036);
  });

  it("names users and groups the way Kubernetes reads them", async () => {
    const client = await issueCertificate(authority, {
      subject: { commonName: "system:node:ms", organisations: ["system:nodes"] },
      validFrom,
    });
    const parsed = new X509Certificate(client.certificate);
    expect(parsed.subject).toBe("O=system:nodes\nCN=system:node:ms");
    expect(parsed.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
    expect(parsed.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(parsed.ca).toBe(false);
  });

  it("names the key of an authority as the authority's own certificate does", async () => {
    const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
    // Version 0.2 hashed more of the key than is common.
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: "CN=of-old",
      keys,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      extensions: [new BasicConstraintsExtension(true), new SubjectKeyIdentifierExtension("0123456789")],
    });
    const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString();
    const old = { certificate: certificate.toString("pem"), key };
    const issued = await issueCertificate(old, { subject: { commonName: "client" }, validFrom });
    expect(new X509Certificate(issued.certificate).checkIssued(new X509Certificate(old.certificate))).toBe(
      true,
    );
  });

  it("names servers by host name and address", async () => {
    const server = await issueCertificate(authority, {
      subject: { commonName: "kube-apiserver" },
      serverNames: ["kubernetes.default.svc", "10.199.2.1"],
      validFrom,
    });
    const parsed = new X509Certificate(server.certificate);
    expect(parsed.subjectAltName).toBe("DNS:kubernetes.default.svc, IP Address:10.199.2.1");
    expect(parsed.checkIP("10.199.2.1")).toBe("10.199.2.1");
    expect(parsed.checkHost("kubernetes.default.svc")).toBe("kubernetes.default.svc");
  });

  it("makes credentials that both sides of a TLS connection accept", async () => {
    const now = new Date();
    const fresh = await createAuthority("modelswitch-test", now);
    const server = await issueCertificate(fresh, {
      subject: { commonName: "server" },
      serverNames: ["localhost"],
      validFrom: now,
    });
    const client = await issueCertificate(fresh, { subject: { commonName: "client" }, validFrom: now });
    const listener = createServer(
      { cert: server.certificate, key: server.key, ca: fresh.certificate, requestCert: true },
      (socket) => socket.end(String(socket.authorized && socket.getPeerCertificate().subject.CN)),
    ).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const address = listener.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const socket = connect({
      port,
      host: "127.0.0.1",
      servername: "localhost",
      cert: client.certificate,
      key: client.key,
      ca: fresh.certificate,
    });
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    listener.close();
    expect(answer).toBe("client");
  });
});
