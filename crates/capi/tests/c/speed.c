/*
 * Measures calls from C in nanoseconds, and the same work in Rust (crates/capi/direct). Each line has a
 * name, a tab and a number: the median of many short turns, which go through all cases, so that a slow
 * moment affects all of them.
 */
#include <time.h>

#include "check.h"

enum { TURNS = 61, BATCH = 64, REQUESTS = 256 };

void direct_sign_one(void);
void direct_sign_64(void);
void direct_sign_1024(void);
void direct_verify_one(void);

static cxk_signer *signer;
static cxk_verifier *verifier;
static cxk_headers headers;
static cxk_header_lines lines;
static cxk_signature batch[1024];
static cxk_header request[4];
static cxk_principal principal;
static cxk_headers signed_headers[REQUESTS];
static cxk_header signed_lines[REQUESTS][4];
static cxk_request requests[REQUESTS];
static cxk_status statuses[REQUESTS];
static cxk_principal principals[REQUESTS];

static void sign_one(void) {
  if (cxk_signer_headers(signer, &headers) != CXK_OK) abort();
}
static void sign_lines(void) {
  if (cxk_signer_header_lines(signer, &lines) != CXK_OK) abort();
}
static void sign_64(void) {
  if (cxk_signer_sign_batch(signer, batch, BATCH) != CXK_OK) abort();
}
static void sign_1024(void) {
  if (cxk_signer_sign_batch(signer, batch, 1024) != CXK_OK) abort();
}
static void verify_one(void) {
  if (cxk_verify(verifier, request, 4, TIME_MS, &principal) != CXK_OK) abort();
}
static void verify_each(void) {
  size_t i;
  for (i = 0; i < REQUESTS; i++) {
    if (cxk_verify(verifier, signed_lines[i], 4, TIME_MS, &principals[i]) != CXK_OK) abort();
  }
}
static void verify_batch(void) {
  if (cxk_verify_batch(verifier, requests, REQUESTS, TIME_MS, statuses, principals) != CXK_OK) abort();
}
static void nothing(void) {
  if (cxk_abi_version() != CXK_ABI_VERSION) abort();
}

static const struct {
  const char *name;
  void (*run)(void);
  int times, operations;
} cases[] = {
    {"C: call of a function that does nothing", nothing, 100000, 1},
    {"C: sign one", sign_one, 2000, 1},
    {"Rust: sign one", direct_sign_one, 2000, 1},
    {"C: sign one, as lines", sign_lines, 2000, 1},
    {"C: sign 64, each", sign_64, 100, 64},
    {"Rust: sign 64, each", direct_sign_64, 100, 64},
    {"C: sign 1,024, each", sign_1024, 8, 1024},
    {"Rust: sign 1,024, each", direct_sign_1024, 8, 1024},
    {"C: verify one, guard of one's own", verify_one, 2000, 1},
    {"Rust: verify one, guard of one's own", direct_verify_one, 2000, 1},
    {"C: verify 256, one by one, each", verify_each, 20, REQUESTS},
    {"C: verify 256 as a batch, each", verify_batch, 20, REQUESTS},
};

static double now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(void) {
  enum { CASES = sizeof cases / sizeof cases[0] };
  static double took[CASES][TURNS];
  static char key[129];
  cxk_keyring *keyring = new_keyring();
  cxk_headers fixed;
  size_t i;
  int turn, n;
  memset(key, 'k', 128);
  CHECK(cxk_signer_new(7, CXK_LEVEL_ADVANCED, key, 128, &signer) == CXK_OK);
  CHECK(put_key(keyring, 7, CXK_LEVEL_ADVANCED, key, CXK_NEVER, 0) == CXK_OK);
  verifier = new_verifier(0, keyring, NULL);
  CHECK(cxk_signer_headers_at(signer, NONCE, 64, TIME_MS, &fixed) == CXK_OK);
  as_request(&fixed, request);
  for (i = 0; i < REQUESTS; i++) {
    char nonce[65];
    snprintf(nonce, sizeof nonce, "%064u", (unsigned)i);
    CHECK(cxk_signer_headers_at(signer, nonce, 64, TIME_MS, &signed_headers[i]) == CXK_OK);
    requests[i].headers = signed_lines[i];
    requests[i].count = as_request(&signed_headers[i], signed_lines[i]);
  }
  for (turn = 0; turn < TURNS; turn++) {
    for (i = 0; i < CASES; i++) {
      const double start = now_ns();
      for (n = 0; n < cases[i].times; n++) cases[i].run();
      took[i][turn] = (now_ns() - start) / cases[i].times / cases[i].operations;
    }
  }
  for (i = 0; i < CASES; i++) {
    qsort(took[i], TURNS, sizeof took[i][0], by_size);
    printf("%s\t%.1f\n", cases[i].name, took[i][TURNS / 2]);
  }
  cxk_verifier_free(verifier);
  cxk_keyring_free(keyring);
  cxk_signer_free(signer);
  return mistakes;
}
