#!/bin/sh
# Waits at Tidegate's gate until humans have decided.
#
#   gate.sh SERVICE ENVIRONMENT VERSION [COMMIT]
#
# Exit 0 approved, begun by a named human, nothing in the way (or the environment does not enforce its gate)
#      1 not approved (yet)
#      2 cannot tell: nobody planned this, or Tidegate could not be reached
#
#   TIDEGATE_URL           where Tidegate is
#   TIDEGATE_TOKEN         a token that may ask the gate
#   TIDEGATE_WAIT          how many seconds to wait for a yes; 0 asks once
#   TIDEGATE_ROLLBACK      1: what will be run is the rollback that the plan states
#   TIDEGATE_ANSWER        a file for the whole answer, with its signed checkpoint and proof: keep it with the build
#   TIDEGATE_UNREACHABLE   closed (the default): no answer is no yes. open: go on without one, loudly; the deployment is
#                          then recorded as one without an approved plan, as soon as Tidegate hears of it
set -u

say() { printf 'tidegate: %s\n' "$*" >&2; }

if [ $# -lt 3 ] || [ $# -gt 4 ]; then
  say "gate.sh takes a service, an environment, a version and perhaps a commit."
  exit 2
fi
if [ -z "${TIDEGATE_URL:-}" ] || [ -z "${TIDEGATE_TOKEN:-}" ]; then
  say "TIDEGATE_URL and TIDEGATE_TOKEN must be set."
  exit 2
fi

answer=${TIDEGATE_ANSWER:-}
if [ -z "$answer" ]; then
  answer=$(mktemp) || exit 2
  trap 'rm -f "$answer"' EXIT
fi
waits=${TIDEGATE_WAIT:-0}
until=$(($(date +%s) + waits))
rollback=${TIDEGATE_ROLLBACK:-0}
why="no answer"
# The first question is answered at once, so that the log says what is waited for; the server holds later ones, for two
# minutes at most.
longest=0

while :; do
  left=$((until - $(date +%s)))
  if [ "$left" -gt "$longest" ]; then hold=$longest; elif [ "$left" -gt 0 ]; then hold=$left; else hold=0; fi
  longest=100
  # The token goes in by standard input: what stands on a command line is seen by everybody on the machine.
  status=$(
    printf 'header = "authorization: Bearer %s"\n' "$TIDEGATE_TOKEN" |
      curl --silent --show-error --config - --get --max-time $((hold + 30)) --output "$answer" --write-out '%{http_code}' \
        --data-urlencode "service=$1" --data-urlencode "environment=$2" --data-urlencode "version=$3" \
        ${4:+--data-urlencode "commit=$4"} --data "wait=$hold" --data "rollback=$rollback" \
        "${TIDEGATE_URL%/}/api/gate"
  ) || status=000
  case $status in
    200)
      # The answer is one line that begins with its verdict.
      verdict=$(sed -n 's/^{"verdict":"\([a-z-]*\)".*/\1/p' "$answer")
      says=$(grep -o '"says":"[^"]*"' "$answer" | sed 's/^"says":"//; s/"$//' | tr '\n' ' ')
      say "${verdict:-unreadable}: $says"
      [ "$verdict" = approved ] && exit 0
      if grep -q '"enforced":false' "$answer"; then
        say "$2 does not enforce its gate; going on."
        exit 0
      fi
      if [ "$left" -le 0 ] || ! grep -q '"waits":true' "$answer"; then
        [ "$verdict" = unknown ] && exit 2
        [ -n "$verdict" ] && exit 1
        exit 2
      fi
      ;;
    400 | 401 | 404)
      say "refused ($status): $(cat "$answer" 2>/dev/null)"
      exit 2
      ;;
    *)
      why="HTTP $status"
      if [ "$left" -le 0 ]; then break; fi
      say "no answer ($why); asking again."
      sleep 5
      ;;
  esac
done

if [ "${TIDEGATE_UNREACHABLE:-closed}" = open ]; then
  say "NOT APPROVED: Tidegate could not be reached ($why) and TIDEGATE_UNREACHABLE is open. Going on without a yes."
  exit 0
fi
say "Tidegate could not be reached ($why): no answer is no yes."
exit 2
