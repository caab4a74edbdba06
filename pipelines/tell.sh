#!/bin/sh
# Tells Tidegate what became of a deployment, so that it is recorded and watched.
#
#   tell.sh started|succeeded|failed|rolled_back SERVICE ENVIRONMENT VERSION [COMMIT]
#
#   TIDEGATE_URL     where Tidegate is
#   TIDEGATE_TOKEN   a token that may report deployments
#   TIDEGATE_RUN     what this deployment is called here; known by itself on GitHub, GitLab and Jenkins
set -u

say() { printf 'tidegate: %s\n' "$*" >&2; }

if [ $# -lt 4 ] || [ $# -gt 5 ]; then
  say "tell.sh takes a status, a service, an environment, a version and perhaps a commit."
  exit 2
fi
if [ -z "${TIDEGATE_URL:-}" ] || [ -z "${TIDEGATE_TOKEN:-}" ]; then
  say "TIDEGATE_URL and TIDEGATE_TOKEN must be set."
  exit 2
fi
run=${TIDEGATE_RUN:-${GITHUB_RUN_ID:+github-$GITHUB_RUN_ID-${GITHUB_RUN_ATTEMPT:-1}}}
run=${run:-${CI_JOB_ID:+gitlab-$CI_JOB_ID}}
run=${run:-${BUILD_TAG:-}}
if [ -z "$run" ]; then
  say "TIDEGATE_RUN must say what this deployment is called here."
  exit 2
fi
actor=${GITHUB_ACTOR:-${GITLAB_USER_LOGIN:-${BUILD_USER_ID:-}}}
url=${GITHUB_RUN_ID:+${GITHUB_SERVER_URL:-https://github.com}/${GITHUB_REPOSITORY:-}/actions/runs/$GITHUB_RUN_ID}
url=${url:-${CI_JOB_URL:-${BUILD_URL:-}}}

case "$1$2$3$4${5:-}$run$actor$url" in
  *[\"\\]*) say "a name with a quotation mark or a backslash cannot be told."; exit 2 ;;
esac
field() { if [ -n "$2" ]; then printf ',"%s":"%s"' "$1" "$2"; fi; }
body="{\"id\":\"$run\",\"status\":\"$1\",\"service\":\"$2\",\"environment\":\"$3\",\"version\":\"$4\""
body="$body$(field commit "${5:-}")$(field actor "$actor")$(field url "$url")}"

printf 'header = "authorization: Bearer %s"\n' "$TIDEGATE_TOKEN" |
  curl --silent --show-error --fail --config - --max-time 30 --retry 5 --retry-connrefused --output /dev/null \
    --header 'content-type: application/json' --data-raw "$body" "${TIDEGATE_URL%/}/hooks/deployments" || {
  say "$1 could not be told; whoever deployed says it in chat."
  exit 1
}
