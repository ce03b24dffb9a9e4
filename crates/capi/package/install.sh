#!/bin/sh
# Installs the C library of cortexkey from the folder that this script is in. It overwrites earlier
# versions of its own files, and touches nothing else.
set -eu

usage() {
  cat <<'END'
usage: ./install.sh [--prefix=DIR] [--libdir=DIR] [--destdir=DIR] [--disable-static] [--disable-shared]

  --prefix=DIR      where the files belong (/usr/local)
  --libdir=DIR      where libraries belong, within the prefix (PREFIX/lib)
  --destdir=DIR     a folder to put in front of all that, for packagers (also: DESTDIR)
  --disable-static  without libcortexkey.a
  --disable-shared  without libcortexkey.so
END
}

fail() {
  echo "install.sh: $1" >&2
  exit 2
}

prefix=/usr/local
libdir=
destdir=${DESTDIR:-}
static=yes
shared=yes
for argument; do
  case $argument in
    --prefix=*) prefix=${argument#*=} ;;
    --libdir=*) libdir=${argument#*=} ;;
    --destdir=*) destdir=${argument#*=} ;;
    --disable-static) static=no ;;
    --disable-shared) shared=no ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; fail "there is no argument $argument" ;;
  esac
done
libdir=${libdir:-$prefix/lib}
case $prefix in /*) ;; *) fail "--prefix=$prefix is not absolute" ;; esac
case $libdir in
  "$prefix"/*) ;;
  *) fail "--libdir=$libdir is not within --prefix=$prefix; the packages for pkg-config and CMake are relocatable, so they must be" ;;
esac
if [ $static$shared = nono ]; then fail "without both libraries there is nothing to install"; fi

here=$(cd "$(dirname "$0")" && pwd)
if command -v sha256sum > /dev/null; then
  (cd "$here" && sha256sum --quiet -c SHA256SUMS) || fail "the files are not as they were packed"
fi

# How pkgconfig/ and cmake/cortexkey/.. lead back to the prefix.
up=..
rest=${libdir#"$prefix"/}
while [ "$rest" != "${rest#*/}" ]; do
  rest=${rest#*/}
  up=$up/..
done

include=$destdir$prefix/include
lib=$destdir$libdir
doc=$destdir$prefix/share/doc/cortexkey
mkdir -p "$include" "$lib/pkgconfig" "$lib/cmake/cortexkey" "$doc/examples"
install -m 644 "$here"/include/* "$include"
if [ $static = yes ]; then
  install -m 644 "$here/lib/libcortexkey.a" "$lib"
  sed "s|{pcfiledir}/\.\./\.\.|{pcfiledir}/../$up|" "$here/lib/pkgconfig/cortexkey-static.pc" \
    > "$lib/pkgconfig/cortexkey-static.pc"
fi
if [ $shared = yes ]; then
  cp -P "$here"/lib/libcortexkey.so* "$lib"
fi
sed "s|{pcfiledir}/\.\./\.\.|{pcfiledir}/../$up|" "$here/lib/pkgconfig/cortexkey.pc" \
  > "$lib/pkgconfig/cortexkey.pc"
sed "s|/\.\./\.\./\.\./include|/../../$up/include|" "$here/lib/cmake/cortexkey/cortexkeyConfig.cmake" \
  > "$lib/cmake/cortexkey/cortexkeyConfig.cmake"
install -m 644 "$here/lib/cmake/cortexkey/cortexkeyConfigVersion.cmake" "$lib/cmake/cortexkey"
install -m 644 "$here"/share/doc/cortexkey/*.* "$doc"
install -m 644 "$here"/share/doc/cortexkey/examples/* "$doc/examples"

echo "installed in $destdir$prefix, libraries in $lib"
if [ -z "$destdir" ] && [ $shared = yes ] && [ "$(id -u)" = 0 ] && command -v ldconfig > /dev/null; then
  ldconfig
fi
