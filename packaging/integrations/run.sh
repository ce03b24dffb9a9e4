#!/bin/sh
# Runs the linter through the tools that docs/integrations.md has examples for, in a repository with a good and a
# bad definition. The examples are those of the page. A tool that is not on the search path is reported.
#
# usage: run.sh BINARY SCRATCH
set -eu
binary=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../..")
mkdir -p "$2"
scratch=$(realpath "$2")
rm -rf "$scratch/repository" "$scratch/bin"
mkdir -p "$scratch/repository/keys" "$scratch/bin"
ln -s "$binary" "$scratch/bin/cortexkey"
PATH="$scratch/bin:$PATH"
cd "$scratch/repository"

fail() {
  echo "failed: $1" >&2
  exit 1
}

# The block of the page that begins with a line.
example() {
  awk -v first="$1" '/^```/ { inside = 0 } inside || $0 == first { print; inside = 1 }' "$root/docs/integrations.md"
}

git init --quiet
git config user.name test
git config user.email test@example.com
cat > cortexkey.yaml <<'POLICY'
apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:recommended]
keys: [keys/*.yaml]
POLICY
definition() {
  cat <<KEY
apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: $1
  owner: team-$1
spec:
  securityLevel: $2
  comment: Exports incidents to the SIEM, SEC-1
  lifetime: 90d
  roles: [Viewer]
  scope:
    assets: { mode: none }
    casesAndIssues: { mode: none }
    endpoints: { mode: none }
KEY
}
definition svc-good advanced > keys/svc-good.yaml
git add .
git commit --quiet --message good

# A commit with a bad definition must fail, and one without must not.
commits() {
  definition svc-bad standard > keys/svc-bad.yaml
  git add .
  git commit --quiet --message bad > "$scratch/output" 2>&1 && fail "$1 let a bad definition through"
  grep -q level-standard-forbidden "$scratch/output" || { cat "$scratch/output"; fail "$1 shows no finding"; }
  definition svc-bad advanced > keys/svc-bad.yaml
  git add .
  git commit --quiet --message "good with $1" > "$scratch/output" 2>&1 || { cat "$scratch/output"; fail "$1"; }
  git rm --quiet keys/svc-bad.yaml
  git commit --quiet --no-verify --message removed
  echo "ok  $1"
}

skipped() {
  echo "--  $1 is not on the search path"
}

if command -v reviewdog > /dev/null; then
  definition svc-bad standard > keys/svc-bad.yaml
  for format in rdjson checkstyle; do
    cortexkey lint --format "$format" --exit-zero |
      reviewdog -f="$format" -name=cortexkey -reporter=local -filter-mode=nofilter > "$scratch/output" || true
    grep -Eq 'keys/svc-bad.yaml.*[^0-9]7[^0-9]' "$scratch/output" &&
      grep -q level-standard-forbidden "$scratch/output" || { cat "$scratch/output"; fail "reviewdog $format"; }
  done
  rm keys/svc-bad.yaml
  echo "ok  reviewdog"
else
  skipped reviewdog
fi

if command -v lefthook > /dev/null; then
  example 'pre-commit:' > lefthook.yml
  lefthook install > "$scratch/output"
  commits lefthook
  lefthook uninstall > "$scratch/output"
  rm lefthook.yml
else
  skipped lefthook
fi

if command -v pre-commit > /dev/null; then
  # Stands for Docker: checks what it is asked to run, and runs that in the mounted folder.
  cat > "$scratch/bin/docker" <<'DOCKER'
#!/bin/sh
if [ "$1" != run ]; then
  echo '{"SecurityOptions": []}'
  exit
fi
case " $* " in *" --rm "*) ;; *) exit 9 ;; esac
case " $* " in *"/src:rw"*) ;; *) exit 9 ;; esac
while [ "$1" != acme/cortexkey-lint:0.1.0 ]; do shift; done
shift
exec cortexkey lint "$@"
DOCKER
  chmod +x "$scratch/bin/docker"
  example 'repos:' > .pre-commit-config.yaml
  grep -q docker_image .pre-commit-config.yaml || fail "the page has no example with an image"
  git add .
  export PRE_COMMIT_HOME="$scratch/pre-commit"
  pre-commit install > "$scratch/output"
  commits "pre-commit, with an image"
  pre-commit uninstall > "$scratch/output"
  git rm --quiet --cached .pre-commit-config.yaml
  rm .pre-commit-config.yaml
else
  skipped pre-commit
fi

# What MegaLinter and trunk would run, according to their descriptors.
definition svc-bad standard > keys/svc-bad.yaml
python3 "$here/descriptors.py" "$root/packaging" "$scratch"

if command -v hk > /dev/null; then
  hk --version
  echo "--  hk: run by hand"
else
  skipped hk
fi
