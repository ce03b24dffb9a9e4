/*
 * What a C service would write with OpenSSL: all four headers as text.
 *
 * Prints a line of JSON for each form, with nanoseconds a signature, a figure a round.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 21, SIGNATURES = 5000 };

static const char key[] =
    "DCdIeow0xm73EwnxjPza1tdHTfZQv2eH7bTKlTPkgBHLj8aSjFzjgTE9bQUK1DidlWLrnYRhaYQ4PCIyNrNJbMUC6DOWi8ANIn1JWpMTE2neGvoDIRsKUbj6pJ1z7Gmr";
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

struct headers {
    char id[21], authorization[65], nonce[65], timestamp[21];
};

static void draw_nonce(char nonce[65]) {
    size_t len = 0;
    while (len < 64) {
        unsigned char random[96];
        if (RAND_bytes(random, sizeof random) != 1) return;
        for (size_t i = 0; i < sizeof random && len < 64; i++)
            if ((random[i] & 63) < 62) nonce[len++] = alphabet[random[i] & 63];
    }
    nonce[64] = 0;
}

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static size_t message(struct headers *headers, char text[300]) {
    draw_nonce(headers->nonce);
    snprintf(headers->id, sizeof headers->id, "%d", 7);
    snprintf(headers->timestamp, sizeof headers->timestamp, "%llu", (unsigned long long)now_ms());
    return (size_t)snprintf(text, 300, "%s%s%s", key, headers->nonce, headers->timestamp);
}

/* The documented way, and a digit after the other. */
static void by_evp(struct headers *headers) {
    char text[300];
    unsigned char digest[32];
    size_t len = message(headers, text);
    EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < 32; i++) snprintf(headers->authorization + 2 * i, 3, "%02x", digest[i]);
}

/* The short call, and a table of digits. */
static void by_sha256(struct headers *headers) {
    char text[300];
    unsigned char digest[32];
    size_t len = message(headers, text);
    SHA256((const unsigned char *)text, len, digest);
    for (int i = 0; i < 32; i++) {
        headers->authorization[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        headers->authorization[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    headers->authorization[64] = 0;
}

static double clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void measure(const char *name, void (*sign)(struct headers *)) {
    static volatile char kept;
    printf("{\"name\":\"%s\",\"version\":\"%s\",\"ns\":[", name, OpenSSL_version(OPENSSL_VERSION));
    for (int round = 0; round < ROUNDS; round++) {
        double start = clock_ns();
        for (int i = 0; i < SIGNATURES; i++) {
            struct headers headers;
            sign(&headers);
            kept = headers.authorization[5];
        }
        printf("%s%.1f", round ? "," : "", (clock_ns() - start) / SIGNATURES);
    }
    (void)kept;
    printf("]}\n");
}

int main(void) {
    measure("OpenSSL from C: EVP_Digest, RAND_bytes, snprintf", by_evp);
    measure("OpenSSL from C: SHA256(), RAND_bytes, a table", by_sha256);
    return 0;
}
