import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { RdbError } from "@flaredb/rdb-base";
import { isLoopback } from "@flaredb/rdb-wire";

/** Who may use the API. */
export interface AccessRules {
  /** What each request has to carry; undefined: only callers on this machine are answered. */
  readonly token: string | undefined;
  /** Where PD listens. */
  readonly host: string;
}

/**
 * Why the request is refused; undefined: it is not.
 *
 * Without a token PD trusts whoever reaches it on loopback, which web pages in a browser there do too: they are told by
 * the origin that browsers name, and by a `Host` that is some name of theirs.
 */
export function accessRefusal(rules: AccessRules, headers: IncomingHttpHeaders): RdbError | undefined {
  if (rules.token !== undefined) {
    return tokenRefusal(rules.token, headers.authorization);
  }
  if (!isLoopback(rules.host)) {
    return denied(
      `PD listens on ${rules.host}, beyond loopback, and has no token: start it with --admin-token-file FILE`,
    );
  }
  const { host = "", origin } = headers;
  if (!isLoopback(hostnameOf(`http://${host}`))) {
    return denied(
      `Host "${host}" is no loopback address: ask 127.0.0.1, or start PD with --admin-token-file FILE`,
    );
  }
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return denied(`a page of ${origin} must not use the admin API`);
  }
  return undefined;
}

function tokenRefusal(token: string, authorization: string | undefined): RdbError | undefined {
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (given === undefined) {
    return new RdbError("RDB_UNAUTHENTICATED", "no token: send Authorization: Bearer TOKEN");
  }
  return timingSafeEqual(digest(given), digest(token))
    ? undefined
    : new RdbError("RDB_UNAUTHENTICATED", "the token is not the one in PD's --admin-token-file");
}

/** Of equal length whatever is compared, so that the comparison's time tells nothing. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : "";
}

function denied(message: string): RdbError {
  return new RdbError("RDB_PERMISSION_DENIED", message);
}
