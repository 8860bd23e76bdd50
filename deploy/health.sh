#!/usr/bin/env bash
# Whether the program in this container is healthy: GET /health on its HTTP port has to answer 200.
#
#   flaredb-health [PORT]      without PORT: the one that PID 1's program was given, by flag, variable or config file
#                              in this order, as the program itself takes it; else the program's default
#
# In bash alone, which the base image has: a check every few seconds should not start a Node each time. Only where the
# environment names a certificate (FLAREDB_SERVER_TLS_CERT, FLAREDB_PD_TLS_CERT) one asks by TLS and shows it; it has to
# be good for `localhost`.
set -euo pipefail

# The HTTP port of a program: its command line, the prefix of its variables, its default.
http_port() {
  local command=$1 variable=$2_HTTP_PORT
  if [[ $command =~ \ --http-port[\ =]([0-9]+) ]]; then
    echo "${BASH_REMATCH[1]}"
  elif [ -n "${!variable:-}" ]; then
    echo "${!variable}"
  elif [[ $command =~ \ --config[\ =]([^\ ]+) && $(<"${BASH_REMATCH[1]}") =~ \"httpPort\"[[:space:]]*:[[:space:]]*\"?([0-9]+) ]]; then
    echo "${BASH_REMATCH[1]}"
  else
    echo "$3"
  fi
}

# What GET /health answers by TLS; fails unless that is 200. The process's own certificate is shown.
ask_by_tls() {
  CA=$2 CERT=$3 KEY=$4 exec node --input-type=module -e '
    import { readFileSync } from "node:fs";
    import { get } from "node:https";
    const { CA, CERT, KEY } = process.env;
    const tls = { cert: readFileSync(CERT), key: readFileSync(KEY), ...(CA && { ca: readFileSync(CA) }) };
    const { statusCode } = await new Promise((resolve, reject) => {
      get({ host: "127.0.0.1", servername: "localhost", port: process.argv[1], path: "/health", ...tls }, (answer) => {
        answer.on("end", () => resolve(answer)).pipe(process.stdout);
      }).on("error", reject);
    });
    process.exitCode = statusCode === 200 ? 0 : 1;
  ' "$1"
}

port=${1:-}
prefix=FLAREDB_SERVER
if [ -z "$port" ]; then
  command=" $(tr '\0' ' ' </proc/1/cmdline) "
  case "$command" in
    *" rdb-pd "*) prefix=FLAREDB_PD port=$(http_port "$command" FLAREDB_PD 7401) ;;
    *" rdb-server "*) port=$(http_port "$command" FLAREDB_SERVER 7420) ;;
    *)
      echo "healthy: neither rdb-pd nor rdb-server runs here"
      exit 0
      ;;
  esac
fi

ca=${prefix}_TLS_CA cert=${prefix}_TLS_CERT key=${prefix}_TLS_KEY
if [ -n "${!cert:-}" ]; then
  ask_by_tls "$port" "${!ca:-}" "${!cert}" "${!key:-}"
fi

exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
answer=$(cat <&3)
printf '%s\n' "${answer##*$'\r\n\r\n'}"
[[ $answer == "HTTP/1.1 200 "* ]]
