/* How much of the stack signing and verifying use: each runs on a painted stack, and the lowest
 * byte that lost its paint says how deep it went. What a call of nothing takes is taken off.
 *
 *   stack LIMIT_BYTES    prints the depths, and fails where one is above the limit */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "probe.h"

enum { STACK_BYTES = 256 * 1024, PAINT = 0xa5 };

static const uint64_t NOW_MS = 1790611732512;
static unsigned char stack[STACK_BYTES] __attribute__((aligned(64)));
static ucontext_t home, away;
static struct probe_key key;
static struct probe_headers headers;
static int answer;

static void nothing(void) { answer = 0; }
static void sign(void) { answer = probe_sign(&key, NOW_MS, 1, &headers); }
static void verify(void) { answer = probe_verify(&key, NOW_MS, &headers); }

static size_t depth(void (*function)(void)) {
    memset(stack, PAINT, sizeof stack);
    getcontext(&away);
    away.uc_stack.ss_sp = stack;
    away.uc_stack.ss_size = sizeof stack;
    away.uc_link = &home;
    makecontext(&away, function, 0);
    swapcontext(&home, &away);
    size_t untouched = 0;
    while (untouched < sizeof stack && stack[untouched] == PAINT) untouched++;
    return sizeof stack - untouched;
}

static int worse(const char *what, size_t bytes, size_t limit) {
    printf("%s: %zu bytes of stack, answer %d\n", what, bytes, answer);
    return bytes > limit || answer != 0;
}

int main(int argc, char **argv) {
    size_t limit = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    int bad = 0;
    for (int is_advanced = 0; is_advanced <= 1; is_advanced++) {
        const char *level = is_advanced ? "Advanced" : "Standard";
        char what[64];
        /* 127 bytes leave the longest tail of a key, and so the most blocks. */
        key = (struct probe_key){.id = UINT64_MAX, .is_advanced = is_advanced, .len = 127};
        memset(key.bytes, 'k', key.len);
        /* The first call asks the processor what it has; firmware's first call does so, too. */
        size_t base = depth(nothing);
        size_t signs = depth(sign);
        snprintf(what, sizeof what, "%s, sign", level);
        bad |= worse(what, signs - base, limit);
        size_t verifies = depth(verify);
        snprintf(what, sizeof what, "%s, verify", level);
        bad |= worse(what, verifies - base, limit);
    }
    return bad;
}
