"""Checks filled recipes: check.py FOLDER

JSON with the fields that Scoop and vcpkg require, the syntax of Ruby and Nix by tree-sitter's grammars, CMake by
a formatter that reads it, and Conan by its own command line.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import tree_sitter
import tree_sitter_nix
import tree_sitter_ruby

folder = pathlib.Path(sys.argv[1])
GRAMMARS = {
    "homebrew/cortexkey.rb": tree_sitter_ruby,
    "nix/flake.nix": tree_sitter_nix,
}


def errors(node):
    if node.type == "ERROR" or node.is_missing:
        yield node.start_point.row + 1
    for child in node.children:
        yield from errors(child)


for name, grammar in GRAMMARS.items():
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    lines = list(errors(parser.parse((folder / name).read_bytes()).root_node))
    assert not lines, f"{name}: syntax errors in lines {lines}"

formatter = pathlib.Path(sys.executable).with_name("gersemi")
subprocess.run([formatter, "--no-warn-about-unknown-commands", "-"], stdin=open(folder / "vcpkg/portfile.cmake"), check=True, stdout=subprocess.DEVNULL)

scoop = json.loads((folder / "scoop/cortexkey.json").read_text())
for field in ("version", "description", "homepage", "license", "bin"):
    assert isinstance(scoop[field], str), field
for archive in scoop["architecture"].values():
    assert archive["url"].startswith("https://") and re.fullmatch("[0-9a-f]{64}", archive["hash"]), archive
port = json.loads((folder / "vcpkg/vcpkg.json").read_text())
assert re.fullmatch("[a-z0-9-]+", port["name"]) and re.fullmatch(r"\d+\.\d+\.\d+", port["version"]), port

for path in folder.rglob("*"):
    if path.is_file():
        left = re.findall(r"@(?:VERSION|sha[^@\s]*)@", path.read_text())
        assert not left, f"{path}: {left}"

conan = pathlib.Path(sys.executable).with_name("conan")
with tempfile.TemporaryDirectory() as home:
    environment = {**os.environ, "CONAN_HOME": home}

    def run(*arguments):
        command = [conan, *arguments]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    try:
        run("profile", "detect")
        run("export", folder / "conan")
        archives = os.environ.get("CORTEXKEY_RELEASE_FILES")
        if archives:
            base = pathlib.Path(archives).resolve().as_uri()
            for shared in (True, False):
                run("create", folder / "conan", "-o", f"&:shared={shared}", "-c", f"user.cortexkey:files={base}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.stderr.decode(errors="replace"))
print("recipes are in order")
