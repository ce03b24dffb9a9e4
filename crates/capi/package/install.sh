#!/bin/sh
# Installs the C library of cortexkey from the folder that this script is in. It replaces earlier
# versions of its own files by new ones, never in place, since programs may be running them; and it
# touches nothing else.
set -eu
# The same modes for everybody, whatever the caller's umask.
umask 022

usage() {
  cat <<'END'
usage: ./install.sh [--prefix=DIR] [--libdir=DIR] [--destdir=DIR] [--disable-static] [--disable-shared]
       ./install.sh --uninstall [--prefix=DIR] [--libdir=DIR] [--destdir=DIR]

  --prefix=DIR      where the files belong (/usr/local)
  --libdir=DIR      where libraries belong, within the prefix (PREFIX/lib)
  --destdir=DIR     a folder to put in front of all that, for packagers (also: DESTDIR)
  --disable-static  without libcortexkey.a
  --disable-shared  without libcortexkey.so
  --uninstall       removes what this package's install.sh installs there
END
}

fail() {
  echo "install.sh: $1" >&2
  exit 2
}

# A folder without slashes that mean nothing.
plain() {
  printf '%s\n' "$1" | sed -e 's|//*|/|g' -e 's|\(.\)/$|\1|'
}

prefix=/usr/local
libdir=
destdir=${DESTDIR:-}
static=yes
shared=yes
uninstall=no
for argument; do
  case $argument in
    --prefix=*) prefix=${argument#*=} ;;
    --libdir=*) libdir=${argument#*=} ;;
    --destdir=*) destdir=${argument#*=} ;;
    --disable-static) static=no ;;
    --disable-shared) shared=no ;;
    --uninstall) uninstall=yes ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; fail "there is no argument $argument" ;;
  esac
done
case $prefix in /*) ;; *) fail "--prefix=$prefix is not absolute" ;; esac
prefix=$(plain "$prefix")
if [ "$prefix" = / ]; then prefix=; fi
case ${libdir:-lib} in
  /*) libdir=$(plain "$libdir") ;;
  *) libdir=$(plain "$prefix/${libdir:-lib}") ;;
esac
case $prefix/$libdir/ in
  */./* | */../*) fail "--prefix and --libdir are needed without . and .., by which the packages for pkg-config and CMake would not find each other" ;;
esac
case $libdir in
  "$prefix"/*) ;;
  *) fail "--libdir=$libdir is not within --prefix=$prefix; the packages for pkg-config and CMake are relocatable, so they must be" ;;
esac
if [ $static$shared = nono ]; then fail "without both libraries there is nothing to install"; fi

here=$(cd "$(dirname "$0")" && pwd)
include=$destdir$prefix/include
lib=$destdir$libdir
doc=$destdir$prefix/share/doc/cortexkey

if [ $uninstall = yes ]; then
  for file in "$here"/include/*; do rm -f "$include/${file##*/}"; done
  for file in "$here"/lib/libcortexkey.*; do rm -f "$lib/${file##*/}"; done
  rm -f "$lib/pkgconfig/cortexkey.pc" "$lib/pkgconfig/cortexkey-static.pc"
  rm -f "$lib/cmake/cortexkey/cortexkeyConfig.cmake" "$lib/cmake/cortexkey/cortexkeyConfigVersion.cmake"
  for file in "$here"/share/doc/cortexkey/*.*; do rm -f "$doc/${file##*/}"; done
  for file in "$here"/share/doc/cortexkey/examples/*; do rm -f "$doc/examples/${file##*/}"; done
  # The folders that are ours alone, where nobody else has put anything.
  for folder in "$lib/cmake/cortexkey" "$doc/examples" "$doc"; do
    rmdir "$folder" 2> /dev/null || true
  done
  echo "removed from $destdir${prefix:-/}"
  exit 0
fi

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

# Puts a file where it belongs, under a name of its own until it is complete.
put() {
  mode=$1 from=$2 to=$3/${2##*/}
  install -m "$mode" "$from" "$to.new.$$"
  mv -f "$to.new.$$" "$to"
}

# The same for a file in which the way back to the prefix is set.
put_with() {
  from=$2 to=$3/${2##*/}
  sed "$1" "$from" > "$to.new.$$"
  mv -f "$to.new.$$" "$to"
}

mkdir -p "$include" "$lib/pkgconfig" "$lib/cmake/cortexkey" "$doc/examples"
for file in "$here"/include/*; do put 644 "$file" "$include"; done
if [ $static = yes ]; then
  put 644 "$here/lib/libcortexkey.a" "$lib"
  put_with "s|{pcfiledir}/\.\./\.\.|{pcfiledir}/../$up|" "$here/lib/pkgconfig/cortexkey-static.pc" "$lib/pkgconfig"
fi
if [ $shared = yes ]; then
  for file in "$here"/lib/libcortexkey.so*; do
    if [ ! -L "$file" ]; then put 755 "$file" "$lib"; fi
  done
  for file in "$here"/lib/libcortexkey.so*; do
    if [ -L "$file" ]; then ln -sfn "$(readlink "$file")" "$lib/${file##*/}"; fi
  done
fi
put_with "s|{pcfiledir}/\.\./\.\.|{pcfiledir}/../$up|" "$here/lib/pkgconfig/cortexkey.pc" "$lib/pkgconfig"
put_with "s|/\.\./\.\./\.\./include|/../../$up/include|" "$here/lib/cmake/cortexkey/cortexkeyConfig.cmake" "$lib/cmake/cortexkey"
put 644 "$here/lib/cmake/cortexkey/cortexkeyConfigVersion.cmake" "$lib/cmake/cortexkey"
for file in "$here"/share/doc/cortexkey/*.*; do put 644 "$file" "$doc"; done
for file in "$here"/share/doc/cortexkey/examples/*; do put 644 "$file" "$doc/examples"; done

echo "installed in $destdir${prefix:-/}, libraries in $lib"
if [ -z "$destdir" ] && [ $shared = yes ] && [ "$(id -u)" = 0 ] && command -v ldconfig > /dev/null; then
  ldconfig
fi
