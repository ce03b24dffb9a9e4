#!/usr/bin/env bash
# Installs the wheel that wheels.txt pins by digest into a folder of its own, and puts it on the path of the
# steps that follow. The runner's own Python packages stay as they are.
set -euo pipefail
pins="$(dirname "$0")/wheels.txt"
if ! grep -q '^cortexkey==' "$pins"; then
  echo "::error::this commit pins no released wheel: use the action by the tag or commit of a release" >&2
  exit 1
fi
folder="${RUNNER_TEMP:?}/cortexkey"
python3 -m venv --clear "$folder"
bin="$folder/bin"
if [ -d "$folder/Scripts" ]; then bin="$folder/Scripts"; fi
"$bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  --require-hashes --requirement "$pins"
echo "$bin" >> "${GITHUB_PATH:?}"
