#!/bin/sh
# Builds the extensions for Visual Studio Code and Zed, and tries the language server with real clients: the
# protocol packages of npm, Neovim, and Emacs.
#
# usage: run.sh BINARY SCRATCH, where SCRATCH is a folder for packages and keys
set -eu
binary=$(realpath "$1")
mkdir -p "$2"
scratch=$(realpath "$2")
editors=$(realpath "$(dirname "$0")/..")

rm -rf "$scratch/keys"
mkdir -p "$scratch/vscode" "$scratch/keys"
for part in src package.json package-lock.json tsconfig.json .vscodeignore README.md LICENSE notices.mjs; do
  cp -r "$editors/vscode/$part" "$scratch/vscode/"
done
cd "$scratch/vscode"
npm ci --no-audit --no-fund --ignore-scripts
node node_modules/esbuild/install.js
npm run package
test -s cortexkey.vsix
# What an editor needs, the licences of what is bundled, and nothing else.
python3 - <<'CONTENTS'
import json, zipfile
package = zipfile.ZipFile("cortexkey.vsix")
names = {name for name in package.namelist() if name.startswith("extension/")}
expected = {"package.json", "readme.md", "LICENSE.txt", "out/extension.js", "out/NOTICES.txt"}
assert names == {f"extension/{name}" for name in expected}, names
manifest = json.loads(package.read("extension/package.json"))
assert f"extension/{manifest['main'].removeprefix('./')}" in names
notices = package.read("extension/out/NOTICES.txt").decode()
assert "vscode-languageclient" in notices and "Permission is hereby granted" in notices
CONTENTS
echo "ok  the extension for Visual Studio Code is complete"

# A repository of its own: the one around the build folder ignores it, and ignored files are not checked.
git init --quiet "$scratch/keys"
timeout 120 node "$editors/tests/client.mjs" "$binary" "$scratch/vscode" "$scratch/keys"
BINARY="$binary" FOLDER="$scratch/keys" timeout 120 \
  nvim --headless --clean -c "luafile $editors/tests/neovim.lua"
BINARY="$binary" FOLDER="$scratch/keys" timeout 120 emacs --batch -l "$editors/tests/emacs.el"

cd "$editors/zed"
CARGO_TARGET_DIR="$scratch/zed" cargo build --quiet --locked --release --target wasm32-wasip2
# A component of WebAssembly, not a core module.
[ "$(od -An -tx1 -N8 "$scratch/zed/wasm32-wasip2/release/cortexkey_zed.wasm" | tr -d ' ')" = 0061736d0d000100 ]
echo "ok  the extension for Zed builds"
