#!/bin/sh
# The action's two scripts: they install the wheel that is pinned, no other, and lint with it.
#   action.sh REPOSITORY WORK WHEELS
set -eu
repository=$1 work=$2/action wheels=$3
rm -rf "$work" && mkdir -p "$work/temp" "$work/action"
cp "$repository"/packaging/action/* "$work/action"
export RUNNER_TEMP="$work/temp" GITHUB_PATH="$work/path" PIP_NO_INDEX=1 PIP_FIND_LINKS="$wheels"
wheel=$(ls "$wheels"/*.whl)
digest=$(sha256sum "$wheel" | cut -c1-64)
version=$(basename "$wheel" | cut -d- -f2)
pin() { printf 'cortexkey==%s \\\n    --hash=sha256:%s\n' "$version" "$1" > "$work/action/wheels.txt"; }
refuses() { if "$work/action/install.sh" > "$work/log" 2>&1; then echo "installed with $1"; exit 1; fi; }

printf '# nothing\n' > "$work/action/wheels.txt"
refuses 'no pin'
pin "$(echo "$digest" | tr 0123456789abcdef 123456789abcdef0)"
refuses 'another digest'
pin "$digest"
"$work/action/install.sh"

PATH="$(cat "$work/path"):$PATH"
export PATH FAIL_ON=error SINCE= BASELINE= SARIF="$work/out.sarif" PATHS='
keys
'
cp -r "$repository/policies/example" "$work/corpus"
cd "$work/corpus"
git init --quiet && git add --all
"$work/action/lint.sh"
grep -q '"version": *"2.1.0"' "$work/out.sarif"
# A path that looks like an option or like a script is a path.
PATHS='--fix
$(touch '"$work"'/ran)'
if "$work/action/lint.sh" > "$work/log" 2>&1; then echo 'linted what is not there'; exit 1; fi
test ! -e "$work/ran"
