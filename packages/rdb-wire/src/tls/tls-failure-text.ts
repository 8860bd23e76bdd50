/** What Node says of a TLS connection that failed: a code, and for OpenSSL's own errors its words. */
export interface TlsFailure {
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly message: string;
}

const DEMANDED = "the server demands a certificate: give one with its key (--tls-cert and --tls-key)";
const UNTRUSTED =
  "the server's certificate comes from none of the authorities that are trusted here: give the cluster's (--tls-ca)";

/** By Node's code. What a server objects to comes as its alert, in TLS 1.3 after the handshake. */
const explanations: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: DEMANDED,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    "the server refuses the certificate shown: none of the authorities that it trusts signed it (--tls-cert)",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    "the server refuses the certificate shown: it has expired (--tls-cert)",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED:
    "the server refuses the certificate shown: it was revoked (--tls-cert)",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "the server refuses the certificate shown (--tls-cert)",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "the server refuses the certificate shown (--tls-cert)",
  ERR_SSL_WRONG_VERSION_NUMBER:
    "the server speaks no TLS: call it without --tls-ca, --tls-cert and --tls-key",
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    "the server speaks no TLS: call it without --tls-ca, --tls-cert and --tls-key",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: "the server's certificate has expired, or this machine's clock is wrong",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet, or this machine's clock is wrong",
};

/**
 * Why a TLS connection failed, and what to try.
 *
 * @param showsCertificate whether the caller has a certificate to show: servers older than TLS 1.3 say of none only that
 * the handshake failed
 */
export function tlsFailureText(
  { code = "", reason, message }: TlsFailure,
  showsCertificate: boolean,
): string {
  // OpenSSL's own words come with places in its source.
  const words = reason ?? message;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `the server's certificate is for another name or address: ${words}`;
  }
  if (code === "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE" && !showsCertificate) {
    return `${DEMANDED} (${words})`;
  }
  const explanation = explanations[code];
  return explanation === undefined ? words : `${explanation} (${words})`;
}
