#!/bin/sh
# Runs a program under wine with the libraries of a folder: wine-run.sh FOLDER PROGRAM ARGUMENT…
folder=$1 program=$2
shift 2
cp "$folder/bcryptprimitives.dll" "$(dirname "$program")/"
exec wine "$program" "$@"
