"""Parses the module's PowerShell files with tree-sitter: syntax.py FOLDER"""

import pathlib
import sys

import tree_sitter
import tree_sitter_powershell

parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))


def errors(node):
    if node.type == "ERROR" or node.is_missing:
        yield node.start_point.row + 1
    for child in node.children:
        yield from errors(child)


files = sorted(pathlib.Path(sys.argv[1]).glob("**/*.ps*1"))
found = [f"{file}:{line}" for file in files for line in errors(parser.parse(file.read_bytes()).root_node)]
if found or len(files) < 3:
    sys.exit(f"{len(files)} files, syntax errors: {found}")
