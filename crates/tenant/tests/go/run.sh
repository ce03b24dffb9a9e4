#!/bin/sh
# Builds main.go with the vendor's Go SDK, and runs it. CORTEXKEY_GO_SDK names a folder with the
# SDK's sources, where the module proxy does not have it.
# Usage: run.sh PATH-OF-CORTEXKEY BUILD-FOLDER
set -eu
here=$(dirname "$0")
sdk=github.com/PaloAltoNetworks/cortex-cloud-go
mkdir -p "$2"
cp "$here/main.go" "$2/main.go"
binary=$(realpath "$1")
cd "$2"
rm -f go.mod go.sum
go mod init calls
go mod edit -require "$sdk@v1.1.0"
if [ -n "${CORTEXKEY_GO_SDK:-}" ]; then
    go mod edit -replace "$sdk=$CORTEXKEY_GO_SDK"
fi
go mod tidy
go run . "$binary"
