#!/usr/bin/env bash
# Whether the program in this container is healthy: GET /health on its HTTP port has to answer 200.
#
#   flaredb-health [PORT]      without PORT: 7401 where PID 1 was given rdb-pd, 7420 where it was given rdb-server
#
# In bash alone, which the base image has: a check every few seconds should not start a Node each time.
set -euo pipefail

port=${1:-}
if [ -z "$port" ]; then
  command=$(tr '\0' ' ' </proc/1/cmdline)
  case " $command" in
    *" rdb-pd "*) port=7401 ;;
    *" rdb-server "*) port=7420 ;;
    *)
      echo "healthy: neither rdb-pd nor rdb-server runs here"
      exit 0
      ;;
  esac
fi

exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
answer=$(cat <&3)
printf '%s\n' "${answer##*$'\r\n\r\n'}"
[[ $answer == "HTTP/1.1 200 "* ]]
