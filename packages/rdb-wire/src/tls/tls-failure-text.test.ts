import { expect, test } from "vitest";
import { tlsFailureText } from "./tls-failure-text.ts";

test.for([
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "demands a certificate", "--tls-cert"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "refuses the certificate shown", "--tls-cert"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "none of the authorities", "--tls-ca"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "speaks no TLS", "without --tls-ca"],
  ["CERT_HAS_EXPIRED", "has expired", "clock"],
] as const)("%s says what happened and what to try", ([code, what, advice]) => {
  const text = tlsFailureText({ code, reason: "words of OpenSSL", message: "with:places" }, true);
  expect(text).toContain(what);
  expect(text).toContain(advice);
  expect(text.endsWith("(words of OpenSSL)")).toBe(true);
});

test("a handshake that fails of nothing shown is a demand, else what it is", () => {
  const failure = {
    code: "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
    message: "ssl/tls alert handshake failure",
  };
  expect(tlsFailureText(failure, false)).toContain("demands a certificate");
  expect(tlsFailureText(failure, true)).toBe("ssl/tls alert handshake failure");
  expect(tlsFailureText({ code: "ECONNREFUSED", message: "connect ECONNREFUSED" }, false)).toBe(
    "connect ECONNREFUSED",
  );
});
