# Sets up wine for programs in a folder; to be read by other scripts.

# wine_in FOLDER PREFIX: programs in the folder find what wine lacks, and wine keeps its files in the prefix.
wine_in() {
    # Rust's standard library draws from a library that wine has only from version 9 on. In the tests this
    # one stands in for it; the system's own is used on Windows.
    cat >"$1/random.c" <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(void *bytes, ULONG len);
__declspec(dllexport) BOOL WINAPI ProcessPrng(unsigned char *bytes, SIZE_T len);
BOOL WINAPI ProcessPrng(unsigned char *bytes, SIZE_T len) {
  return len <= MAXLONG && SystemFunction036(bytes, (ULONG)len);
}
C
    x86_64-w64-mingw32-gcc -O2 -Wall -Wextra -Werror -shared -o "$1/bcryptprimitives.dll" "$1/random.c" -ladvapi32
    export WINEPREFIX="$2" WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=;bcryptprimitives=n'
    trap 'wineserver -k || true' EXIT
}
