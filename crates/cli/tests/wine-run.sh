#!/bin/sh
# Runs a program under wine with the libraries of a folder: wine-run.sh FOLDER PROGRAM ARGUMENT…
folder=$1 program=$2
shift 2
cp "$folder/bcryptprimitives.dll" "$(dirname "$program")/"
# wine shows a folder's mode as its list, and adds that list to those of files in it. Programs create temporary files
# in the user's folder.
chmod -R go-rwx "$WINEPREFIX/drive_c/users"
export CORTEXKEY_UNDER_WINE=1
exec wine "$program" "$@"
