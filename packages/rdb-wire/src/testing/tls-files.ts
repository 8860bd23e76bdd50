import { fileURLToPath } from "node:url";
import type { TlsFiles } from "../tls/tls-files.ts";
import { TlsIdentity } from "../tls/tls-identity.ts";

/** A certificate of `src/tls/testdata`; its README says what is wrong with each. */
type TestCertificate = "member" | "renewed" | "elsewhere" | "expired" | "foreign";

/** The path of a test's certificate or key. */
export function testFile(name: string): string {
  return fileURLToPath(new URL(`../tls/testdata/${name}`, import.meta.url));
}

/** Who trusts the tests' authority, with a certificate of its own or none. */
export function testTlsFiles(name?: TestCertificate): TlsFiles {
  const ca = testFile("ca.crt");
  return name === undefined ? { ca } : { ca, cert: testFile(`${name}.crt`), key: testFile(`${name}.key`) };
}

export function testIdentity(name?: TestCertificate): TlsIdentity {
  return TlsIdentity.open(testTlsFiles(name));
}
