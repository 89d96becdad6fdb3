import { createDecipheriv, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";

/** How Pulumi makes a key of a passphrase, and what it encrypts with it to recognise the right one. */
const iterations = 1_000_000;
const keyBytes = 32;
const tagBytes = 16;
const known = "pulumi";

/**
 * Whether a passphrase is the one that a stack was made with. `salt` is the `encryptionsalt` of the stack's settings, or the salt in
 * its state: `v1:SALT:v1:NONCE:CIPHERTEXT`. What has another form says nothing: the CLI knows it, or refuses it.
 */
export async function opensSecrets(passphrase: string, salt: string): Promise<boolean> {
  const [version, saltText, cipherVersion, nonce = "", ciphertext = ""] = salt.split(":");
  if (version !== "v1" || saltText === undefined || cipherVersion !== "v1") return true;
  const key = await promisify(pbkdf2)(
    passphrase,
    Buffer.from(saltText, "base64"),
    iterations,
    keyBytes,
    "sha256",
  );
  const sealed = Buffer.from(ciphertext, "base64");
  if (sealed.length < tagBytes) return true;
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    const text = Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]);
    return text.toString("utf8") === known;
  } catch {
    return false;
  }
}
