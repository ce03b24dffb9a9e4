/* Runs signing and verifying under valgrind with the key marked as undefined: a branch or an
 * address that depends on it is an error that valgrind reports.
 *
 *   valgrind --error-exitcode=99 constant_time cases        0: none of them leaks
 *   valgrind --error-exitcode=99 constant_time early-exit   99: a planted leak is seen
 *   valgrind --error-exitcode=99 constant_time table        99: another
 *   valgrind --error-exitcode=99 constant_time undeclared   99: the cases, had nobody said that the
 *                                                           answer of a comparison is public */

#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "probe.h"

typedef void mark(const unsigned char *, size_t);

void probe_set_public(mark *);
int32_t probe_secret_sign(const struct probe_key *, uint64_t now_ms, mark *secret);
int32_t probe_secret_verify(const struct probe_key *, uint32_t stored_as, uint64_t now_ms,
                            const struct probe_headers *, mark *secret);
int32_t probe_early_exit(const struct probe_key *, const struct probe_key *, mark *secret);
int32_t probe_table(const struct probe_key *, const struct probe_key *, mark *secret);

enum { FIXED = 0, EDITABLE = 1, ABSENT = 2 };
enum { ACCEPT = 0, UNKNOWN_KEY = -107, LEVEL_MISMATCH = -108, WRONG_SIGNATURE = -109 };

static const uint64_t NOW_MS = 1790611732512;
static unsigned long marked;

static void secret(const unsigned char *bytes, size_t len) {
    marked += len;
    (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, len);
}

static void public(const unsigned char *bytes, size_t len) {
    (void)VALGRIND_MAKE_MEM_DEFINED(bytes, len);
}

static struct probe_key key_of(bool is_advanced, size_t len, int seed) {
    struct probe_key key = {.id = 7, .is_advanced = is_advanced, .len = len};
    for (size_t i = 0; i < len; i++) key.bytes[i] = (unsigned char)('!' + (i * 31 + seed) % 94);
    return key;
}

/* One verification; the key and the headers are copies, since marks stay. */
static int verify(bool stored_advanced, bool sent_advanced, size_t len, int sent_seed,
                  uint32_t stored_as, int expected) {
    struct probe_key sender = key_of(sent_advanced, len, sent_seed);
    struct probe_key stored = key_of(stored_advanced, len, 1);
    struct probe_headers headers;
    memset(&headers, 0, sizeof headers);
    if (probe_sign(&sender, NOW_MS, 1, &headers) != 0) return 1;
    int answer = probe_secret_verify(&stored, stored_as, NOW_MS, &headers, secret);
    if (answer != expected) printf("a verdict is %d, not %d\n", answer, expected);
    return answer != expected;
}

static int cases(void) {
    static const size_t lens[] = {1, 20, 63, 64, 127, 128, 256};
    int bad = 0, count = 0;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        for (int advanced = 0; advanced <= 1; advanced++) {
            struct probe_key key = key_of(advanced, lens[i], 1);
            bad |= probe_secret_sign(&key, NOW_MS, secret);
            for (uint32_t as = FIXED; as <= EDITABLE; as++) {
                bad |= verify(advanced, advanced, lens[i], 1, as, ACCEPT);
                bad |= verify(advanced, advanced, lens[i], 2, as, WRONG_SIGNATURE);
                bad |= verify(advanced, !advanced, lens[i], 1, as, LEVEL_MISMATCH);
            }
            bad |= verify(advanced, advanced, lens[i], 1, ABSENT, UNKNOWN_KEY);
            count += 8;
        }
    }
    printf("%d cases, %lu secret bytes\n", count, marked);
    return bad;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    struct probe_key key = key_of(true, 128, 1), other = key_of(true, 128, 2);
    if (!RUNNING_ON_VALGRIND) {
        fputs("run it under valgrind\n", stderr);
        return 2;
    }
    if (strcmp(what, "undeclared") == 0) return cases();
    probe_set_public(public);
    if (strcmp(what, "cases") == 0) return cases();
    if (strcmp(what, "early-exit") == 0) return probe_early_exit(&key, &other, secret) < 0;
    if (strcmp(what, "table") == 0) return probe_table(&key, &other, secret) < 0;
    fputs("there is no such case\n", stderr);
    return 2;
}
