/* What the probe exports; src/lib.rs says what each does. */

#ifndef CORTEXKEY_PROBE_H
#define CORTEXKEY_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe_key {
    uint64_t id;
    bool is_advanced;
    size_t len;
    unsigned char bytes[256];
};

struct probe_headers {
    size_t lens[4];
    unsigned char values[4][256];
};

int32_t probe_sign(const struct probe_key *, uint64_t now_ms, uint64_t seed, struct probe_headers *);
int32_t probe_verify(const struct probe_key *, uint64_t now_ms, const struct probe_headers *);

#endif
