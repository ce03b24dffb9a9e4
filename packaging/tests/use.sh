#!/bin/sh
# A release's files as their users have them: each kind is installed where nothing else of ours is, and used. Kinds
# whose files were not built are skipped.
#
#   use.sh FILES FOLDER      the release's files; where it works, as root
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
files=$(cd "$1" && pwd)
mkdir -p "$2"
work=$(cd "$2" && pwd)
tests="$root/crates/capi/tests/c"
gnu=x86_64-unknown-linux-gnu
musl=x86_64-unknown-linux-musl

# has PATTERN: whether the release has one file of this pattern, whose path is then $file.
has() {
    file=$(find "$files" -maxdepth 1 -name "$1")
    case "$file" in
    '') echo "skipped: there is no $1"; return 1 ;;
    *"
"*) echo "several files are $1: $file"; exit 1 ;;
    esac
}

# fresh NAME: an empty folder, whose path is then $place.
fresh() {
    place="$work/$1"
    rm -rf "$place"
    mkdir -p "$place"
}

# The static command, with nothing else in its root.
if has "cortexkey-*-$musl.tar.gz"; then
    fresh alone
    tar -xzf "$file" -C "$place" --strip-components=1
    for part in cortexkey README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE cortexkey.cdx.json man/cortexkey.1 \
        completions/cortexkey.bash completions/_cortexkey completions/cortexkey.fish completions/_cortexkey.ps1; do
        test -s "$place/$part" || { echo "$file has no $part"; exit 1; }
    done
    mkdir -p "$place/tmp"
    chroot "$place" /cortexkey quickstart >"$work/alone.txt"
    grep -q replayed "$work/alone.txt"
    echo "ok: $(basename "$file") in an empty root"
fi

# The packages in a minimal Debian: installed, used, and removed.
if has 'cortexkey_*_amd64.deb'; then
    debian="$work/debian"
    test -e "$debian/etc/debian_version" || debootstrap --variant=minbase bookworm "$debian" >"$work/debootstrap.txt"
    rm -rf "$debian/tmp/ours" && mkdir -p "$debian/tmp/ours"
    cp "$files"/*_amd64.deb "$debian/tmp/ours/"
    chroot "$debian" sh -c 'dpkg -i /tmp/ours/*.deb' >"$work/dpkg.txt"
    chroot "$debian" cortexkey quickstart >"$work/debian.txt"
    grep -q replayed "$work/debian.txt"
    # A program that is built with the development package runs with the shared library's.
    lib="$debian/usr/lib/x86_64-linux-gnu"
    cc -std=c99 -I"$debian/usr/include" -I"$tests" -o "$debian/tmp/ours/vectors" "$tests/vectors.c" -L"$lib" -lcortexkey
    chroot "$debian" /tmp/ours/vectors <"$root/vectors/auth.tsv"
    ours=$(chroot "$debian" sh -c "dpkg-query -W -f '\${Package}\n' | grep cortexkey")
    # shellcheck disable=SC2086
    chroot "$debian" dpkg --purge $ours >"$work/dpkg.txt"
    left=$(find "$debian/usr" -name '*cortexkey*')
    test -z "$left" || { echo "dpkg --purge leaves $left"; exit 1; }
    echo "ok: $(echo "$ours" | tr '\n' ' ')in Debian"
fi

# The packages for Fedora hold what those for Debian do.
if has 'cortexkey-*.x86_64.rpm'; then
    fresh fedora
    # Their paths are absolute.
    for package in "$files"/*.x86_64.rpm; do
        (cd "$place" && rpm2cpio "$package" | cpio -id --quiet --no-absolute-filenames)
    done
    (cd "$work" && "$place/usr/bin/cortexkey" quickstart >fedora.txt)
    grep -q replayed "$work/fedora.txt"
    cc -std=c99 -I"$place/usr/include" -I"$tests" -o "$place/vectors" "$tests/vectors.c" -L"$place/usr/lib64" -lcortexkey
    LD_LIBRARY_PATH="$place/usr/lib64" "$place/vectors" <"$root/vectors/auth.tsv"
    echo "ok: packages for Fedora, unpacked"
fi

# The C library's archives: installed by their script, found by pkg-config, linked in both ways.
for triple in "$gnu" "$musl"; do
    has "libcortexkey-*-$triple.tar.gz" || continue
    fresh "library-$triple"
    tar -xzf "$file" -C "$place" --strip-components=1
    sh "$place/install.sh" --prefix="$place/prefix" >"$work/install.txt"
    export PKG_CONFIG_PATH="$place/prefix/lib/pkgconfig"
    if [ "$triple" = "$gnu" ]; then cc=cc; else cc=musl-gcc; fi
    # shellcheck disable=SC2046
    $cc -std=c99 -I"$tests" -o "$place/shared" "$tests/vectors.c" $(pkg-config --cflags --libs cortexkey) \
        -Wl,-rpath,"$place/prefix/lib"
    # shellcheck disable=SC2046
    $cc -std=c99 -static -I"$tests" -o "$place/static" "$tests/vectors.c" \
        $(pkg-config --cflags --libs cortexkey-static)
    for program in shared static; do "$place/$program" <"$root/vectors/auth.tsv"; done
    echo "ok: $(basename "$file"), shared and static"
done

# The Go module with its libraries, for each that this machine can run.
if has 'cortexkey-go-*.tar.gz'; then
    fresh go
    tar -xzf "$file" -C "$place"
    module=$(find "$place" -maxdepth 1 -name 'cortexkey-go-*')
    mkdir "$place/user" && cp "$here/user.go" "$place/user/main.go"
    cd "$place/user"
    export GOFLAGS='' GOWORK=off CGO_ENABLED=1
    go mod init example.com/user 2>"$work/go.txt"
    go mod edit -replace "github.com/cortexkey/cortexkey/go=$module" -require 'github.com/cortexkey/cortexkey/go@v0.0.0'
    build() { go build -tags cortexkey_cgo,cortexkey_bundled -o "$@" .; }
    build "$place/gnu"
    CC=musl-gcc build "$place/musl" -ldflags '-linkmode external -extldflags -static'
    for program in gnu musl; do "$place/$program"; done
    if [ -e "$module/internal/capi/libcortexkey_linux_arm64.a" ]; then
        GOARCH=arm64 CC=aarch64-linux-gnu-gcc build "$place/arm64"
        qemu-aarch64 -L /usr/aarch64-linux-gnu "$place/arm64"
    fi
    if [ -e "$module/internal/capi/libcortexkey_windows_amd64.a" ]; then
        GOOS=windows CC=x86_64-w64-mingw32-gcc build "$place/user.exe"
        . "$root/crates/capi/tests/wine.sh"
        wine_in "$place" "$work/wine"
        wine "$place/user.exe"
    fi
    echo "ok: $(basename "$file")"
fi
