#!/usr/bin/env bash
# Takes an Envoy out of service without losing calls (docs/reliability.md, "Drain"): it fails its health check, waits until
# the clients have moved, and only then ends. Needs bash and nothing else, so it runs inside Envoy's image, too.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: drain.sh [--admin HOST:PORT] [--limit SECONDS] [--drain-listeners] [--pid PID | --quit]

  --admin HOST:PORT   Envoy's admin page; default 127.0.0.1:9901
  --limit SECONDS     how long to wait for clients to leave; default 60
  --drain-listeners   POST /drain_listeners?graceful, too: the ports close after Envoy's --drain-time-s
  --pid PID           then SIGTERM to that process
  --quit              then POST /quitquitquit, which is the same
Without the last two the end is left to who called it, as in a preStop hook.
Exit code: 0, no client was left; 1, some were after the limit; 2, the admin page cannot be reached.
TEXT
}

admin=127.0.0.1:9901 limit=60 listeners= pid= quit=
while [ $# -gt 0 ]; do
  case $1 in
    --admin) admin=${2:?"--admin HOST:PORT"} && shift ;;
    --limit) limit=${2:?"--limit SECONDS"} && shift ;;
    --pid) pid=${2:?"--pid PID"} && shift ;;
    --drain-listeners) listeners=yes ;;
    --quit) quit=yes ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done

# ask METHOD PATH: the answer of the admin page.
ask() {
  (
    { exec 3<>"/dev/tcp/${admin%:*}/${admin##*:}"; } 2>/dev/null || exit 1
    printf '%s %s HTTP/1.1\r\nhost: admin\r\ncontent-length: 0\r\nconnection: close\r\n\r\n' "$1" "$2" >&3
    cat <&3
  )
}

fail() {
  echo "drain: $1 on the admin page at $admin failed" >&2
  exit 2
}

post() {
  ask POST "$1" | grep -q '^HTTP/1.1 200' || fail "POST $1"
}

# Sets `clients`, connections to the listeners, and `calls`, requests in flight.
look() {
  local name value page
  clients=0 calls=0
  page=$(ask GET '/stats?filter=active%24') || fail "GET /stats"
  while IFS=': ' read -r name value; do
    value=${value%$'\r'}
    case $name in
      listener.admin.* | *.worker_*) ;;
      listener.*.downstream_cx_active) clients=$((clients + value)) ;;
      wasmcustom.moe.*.active) calls=$((calls + value)) ;;
    esac
  done <<<"$page"
}

say() {
  echo "drain: $*, after $((SECONDS - start)) s"
}

start=$SECONDS
post /healthcheck/fail
[ -z "$listeners" ] || post '/drain_listeners?graceful'
said=
while true; do
  look
  [ "$clients" -gt 0 ] || break
  [ "$clients" = "$said" ] || say "$clients client connections, $calls calls in flight"
  said=$clients
  # Past the limit only a moment without calls is waited for, and not for long.
  [ $((SECONDS - start)) -lt "$limit" ] || [ "$calls" -gt 0 ] || break
  [ $((SECONDS - start)) -lt $((limit + 5)) ] || break
  sleep 0.2
done
left=$clients
if [ "$left" -eq 0 ]; then say "no client is left"; else say "$left connections and $calls calls are cut"; fi
[ -z "$pid" ] || kill -TERM "$pid"
[ -z "$quit" ] || post /quitquitquit
[ "$left" -eq 0 ]
