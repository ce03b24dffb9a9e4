/*
 * Checks the C library from C: the known answers that come in on standard input, and what the
 * library says to wrong use. It refuses to stop at the first mistake; it counts them.
 *
 * A line of input: key id, level, key, nonce, time, Authorization, with tabs between; nonce and
 * time are "-" for a Standard key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cortexkey.h"

/* Twice, as headers that include it do. */
#include "cortexkey.h"

static int mistakes;

#define CHECK(good)                                                      \
  do {                                                                   \
    if (!(good)) {                                                       \
      printf("not ok: %s:%d: %s\n", __FILE__, __LINE__, #good);          \
      mistakes++;                                                        \
    }                                                                    \
  } while (0)

static const char NONCE[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab";
static const uint64_t TIME_MS = 1700000000000u;

/* By way of a variable, since compilers see through a literal NULL in a CXK_NONNULL place. */
static void *volatile null_pointer;

static int all_zero(const void *memory, size_t size) {
  const unsigned char *bytes = (const unsigned char *)memory;
  size_t i;
  for (i = 0; i < size; i++) {
    if (bytes[i] != 0) return 0;
  }
  return 1;
}

static cxk_signer *new_signer(cxk_level level, const char *key) {
  cxk_signer *signer = NULL;
  CHECK(cxk_signer_new(7, level, key, strlen(key), &signer) == CXK_OK);
  if (signer == NULL) exit(1);
  return signer;
}

static int has_line(const cxk_header_lines *lines, const char *name, const char *value) {
  char line[512];
  uint32_t i;
  snprintf(line, sizeof line, "%s: %s", name, value);
  for (i = 0; i < lines->count; i++) {
    if (strcmp(lines->line[i], line) == 0) return 1;
  }
  return 0;
}

static void check_vector(char *const field[6]) {
  const int advanced = strcmp(field[1], "advanced") == 0;
  const char *const nonce = advanced ? field[3] : "";
  const char *const timestamp = advanced ? field[4] : "";
  const uint64_t time_ms = advanced ? strtoull(timestamp, NULL, 10) : 0;
  const cxk_level level = advanced ? CXK_LEVEL_ADVANCED : CXK_LEVEL_STANDARD;
  cxk_signer *signer = NULL;
  cxk_headers headers;
  cxk_header_lines lines;

  CHECK(cxk_signer_new(strtoull(field[0], NULL, 10), level, field[2], strlen(field[2]), &signer) ==
        CXK_OK);
  memset(field[2], 0, strlen(field[2])); /* the signer needs the key no more */
  CHECK(cxk_signer_headers_at(signer, nonce, strlen(nonce), time_ms, &headers) == CXK_OK);
  CHECK(strcmp(headers.key_id, field[0]) == 0);
  CHECK(strcmp(headers.authorization, field[5]) == 0);
  CHECK(strcmp(headers.nonce, nonce) == 0);
  CHECK(strcmp(headers.timestamp, timestamp) == 0);

  CHECK(cxk_signer_header_lines_at(signer, nonce, strlen(nonce), time_ms, &lines) == CXK_OK);
  CHECK(lines.count == (advanced ? 4u : 2u));
  CHECK(has_line(&lines, CXK_HEADER_KEY_ID, field[0]));
  CHECK(has_line(&lines, CXK_HEADER_AUTHORIZATION, field[5]));
  CHECK(has_line(&lines, CXK_HEADER_NONCE, nonce) == advanced);
  CHECK(has_line(&lines, CXK_HEADER_TIMESTAMP, timestamp) == advanced);

  cxk_headers_wipe(&headers);
  cxk_header_lines_wipe(&lines);
  CHECK(all_zero(&headers, sizeof headers));
  CHECK(all_zero(&lines, sizeof lines));
  cxk_signer_free(signer);
}

static int check_vectors(void) {
  char line[1024];
  int count = 0;
  while (fgets(line, sizeof line, stdin) != NULL) {
    char *field[6];
    size_t i;
    char *next = line;
    line[strcspn(line, "\n")] = 0;
    for (i = 0; i < 6 && next != NULL; i++) {
      field[i] = next;
      next = strchr(next, '\t');
      if (next != NULL) *next++ = 0;
    }
    CHECK(i == 6);
    if (i != 6) continue;
    check_vector(field);
    count++;
  }
  return count;
}

static void check_version(void) {
  char version[32];
  snprintf(version, sizeof version, "%d.%d.%d", CXK_VERSION_MAJOR, CXK_VERSION_MINOR,
           CXK_VERSION_PATCH);
  CHECK(strcmp(version, CXK_VERSION) == 0);
  CHECK(strcmp(version, cxk_version()) == 0);
  CHECK(cxk_abi_version() == CXK_ABI_VERSION);
  CHECK(cxk_abi_check() == CXK_OK);
  CHECK(cxk_headers_size() == sizeof(cxk_headers));
  CHECK(cxk_header_lines_size() == sizeof(cxk_header_lines));
}

static void check_statuses(void) {
  CHECK(strcmp(cxk_status_name(CXK_OK), "ok") == 0);
  CHECK(strcmp(cxk_status_name(CXK_INVALID_NONCE), "invalid-nonce") == 0);
  CHECK(strcmp(cxk_status_name(CXK_VERDICT_TIMESTAMP_STALE), "timestamp-stale") == 0);
  CHECK(strcmp(cxk_status_name(CXK_VERDICT_REPLAYED), "replayed") == 0);
  CHECK(strcmp(cxk_status_name(CXK_INTERNAL), "internal") == 0);
  CHECK(strcmp(cxk_status_name(1), "unknown-status") == 0);
  CHECK(strcmp(cxk_status_name(INT32_MIN), "unknown-status") == 0);
  CHECK(strlen(cxk_status_message(CXK_INVALID_KEY)) > 10);
  CHECK(strlen(cxk_status_message(12345)) > 10);
}

static void check_new_refuses(void) {
  static const char key[] = "a-key";
  char long_key[257];
  static const char *const unfit[] = {"with space", "newline\n", "\x7f", "caf\xc3\xa9", "tab\t"};
  cxk_signer *const rubbish = (cxk_signer *)(void *)long_key;
  cxk_signer *signer;
  size_t i;
  memset(long_key, 'k', sizeof long_key);

#define REFUSED(status, id, level, key, len)                             \
  do {                                                                   \
    signer = rubbish;                                                    \
    CHECK(cxk_signer_new(id, level, key, len, &signer) == (status));     \
    CHECK(signer == NULL);                                               \
  } while (0)
  REFUSED(CXK_INVALID_KEY_ID, 0, CXK_LEVEL_ADVANCED, key, 5);
  REFUSED(CXK_INVALID_LEVEL, 7, 0, key, 5);
  REFUSED(CXK_INVALID_LEVEL, 7, 3, key, 5);
  REFUSED(CXK_INVALID_LEVEL, 7, UINT32_MAX, key, 5);
  REFUSED(CXK_NULL_ARG, 7, CXK_LEVEL_ADVANCED, (const char *)null_pointer, 5);
  REFUSED(CXK_NULL_ARG, 7, CXK_LEVEL_ADVANCED, (const char *)null_pointer, 0);
  REFUSED(CXK_INVALID_KEY, 7, CXK_LEVEL_ADVANCED, key, 0);
  REFUSED(CXK_INVALID_KEY, 7, CXK_LEVEL_ADVANCED, key, 6); /* with its NUL */
  REFUSED(CXK_INVALID_KEY, 7, CXK_LEVEL_STANDARD, long_key, 257);
  REFUSED(CXK_INVALID_KEY, 7, CXK_LEVEL_STANDARD, long_key, SIZE_MAX);
  for (i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
    REFUSED(CXK_INVALID_KEY, 7, CXK_LEVEL_ADVANCED, unfit[i], strlen(unfit[i]));
  }
  CHECK(cxk_signer_new(7, CXK_LEVEL_ADVANCED, key, 5, (cxk_signer **)null_pointer) ==
        CXK_NULL_ARG);
  CHECK(cxk_signer_new(UINT64_MAX, CXK_LEVEL_STANDARD, long_key, 256, &signer) == CXK_OK);
  cxk_signer_free(signer);
}

/* One call with dirty outputs: the status, and outputs that are zero unless it is CXK_OK. */
static cxk_status sign_at(const cxk_signer *signer, const char *nonce, size_t len, uint64_t ms) {
  cxk_headers headers;
  cxk_header_lines lines;
  cxk_status status;
  memset(&headers, 0x55, sizeof headers);
  memset(&lines, 0x55, sizeof lines);
  status = cxk_signer_headers_at(signer, nonce, len, ms, &headers);
  CHECK(cxk_signer_header_lines_at(signer, nonce, len, ms, &lines) == status);
  CHECK(all_zero(&headers, sizeof headers) == (status != CXK_OK));
  CHECK(all_zero(&lines, sizeof lines) == (status != CXK_OK));
  return status;
}

static void check_signing_refuses(void) {
  cxk_signer *signer = new_signer(CXK_LEVEL_ADVANCED, "a-key");
  cxk_signer *standard = new_signer(CXK_LEVEL_STANDARD, "a-key");
  char nonce[129];
  cxk_headers headers;
  cxk_header_lines lines;
  memset(nonce, 'n', sizeof nonce);

  CHECK(sign_at(signer, NONCE, 64, TIME_MS) == CXK_OK);
  CHECK(sign_at(signer, (const char *)null_pointer, 64, TIME_MS) == CXK_NULL_ARG);
  CHECK(sign_at(signer, nonce, 0, TIME_MS) == CXK_INVALID_NONCE);
  CHECK(sign_at(signer, nonce, 63, TIME_MS) == CXK_INVALID_NONCE);
  CHECK(sign_at(signer, nonce, 65, TIME_MS) == CXK_INVALID_NONCE);
  CHECK(sign_at(signer, nonce, SIZE_MAX, TIME_MS) == CXK_INVALID_NONCE);
  nonce[63] = '-';
  CHECK(sign_at(signer, nonce, 64, TIME_MS) == CXK_INVALID_NONCE);
  nonce[63] = 0;
  CHECK(sign_at(signer, nonce, 64, TIME_MS) == CXK_INVALID_NONCE);
  CHECK(sign_at(signer, NONCE, 64, 0) == CXK_INVALID_TIMESTAMP);
  CHECK(sign_at(signer, NONCE, 64, 999999999999u) == CXK_INVALID_TIMESTAMP);
  CHECK(sign_at(signer, NONCE, 64, 1000000000000u) == CXK_OK);
  CHECK(sign_at(signer, NONCE, 64, 9999999999999u) == CXK_OK);
  CHECK(sign_at(signer, NONCE, 64, 10000000000000u) == CXK_INVALID_TIMESTAMP);
  CHECK(sign_at(signer, NONCE, 64, UINT64_MAX) == CXK_INVALID_TIMESTAMP);
  CHECK(sign_at(standard, (const char *)null_pointer, 0, 0) == CXK_OK);
  CHECK(sign_at((const cxk_signer *)null_pointer, NONCE, 64, TIME_MS) == CXK_NULL_ARG);

  CHECK(cxk_signer_headers(signer, (cxk_headers *)null_pointer) == CXK_NULL_ARG);
  CHECK(cxk_signer_header_lines(signer, (cxk_header_lines *)null_pointer) == CXK_NULL_ARG);
  CHECK(cxk_signer_headers((const cxk_signer *)null_pointer, &headers) == CXK_NULL_ARG);
  CHECK(all_zero(&headers, sizeof headers));
  CHECK(cxk_signer_header_lines((const cxk_signer *)null_pointer, &lines) == CXK_NULL_ARG);
  CHECK(all_zero(&lines, sizeof lines));
  cxk_signer_free(signer);
  cxk_signer_free(standard);
}

static void check_wrong_handles(void) {
  uint64_t other[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  cxk_signer *const wrong = (cxk_signer *)(void *)other;
  cxk_signer *const askew = (cxk_signer *)(void *)((char *)other + 1);
  cxk_headers headers;
  CHECK(sign_at(wrong, NONCE, 64, TIME_MS) == CXK_WRONG_HANDLE);
  CHECK(sign_at(askew, NONCE, 64, TIME_MS) == CXK_WRONG_HANDLE);
  CHECK(cxk_signer_headers(wrong, &headers) == CXK_WRONG_HANDLE);
  CHECK(all_zero(&headers, sizeof headers));
  cxk_signer_free(wrong);
  cxk_signer_free(askew);
  CHECK(other[0] == 1);
  cxk_signer_free(NULL);
  cxk_headers_wipe(NULL);
  cxk_header_lines_wipe(NULL);
}

static void check_fresh(void) {
  cxk_signer *signer = new_signer(CXK_LEVEL_ADVANCED, "a-key");
  cxk_headers last, headers, again;
  int i;
  memset(&last, 0, sizeof last);
  for (i = 0; i < 1000; i++) {
    CHECK(cxk_signer_headers(signer, &headers) == CXK_OK);
    CHECK(strcmp(headers.nonce, last.nonce) != 0);
    CHECK(strcmp(headers.authorization, last.authorization) != 0);
    CHECK(strspn(headers.nonce, NONCE) == 64 && headers.nonce[64] == 0);
    CHECK(strspn(headers.authorization, "0123456789abcdef") == 64);
    CHECK(headers.authorization[64] == 0);
    CHECK(strspn(headers.timestamp, "0123456789") == 13 && headers.timestamp[0] != '0');
    /* What was drawn signs to the same digest when it is given. */
    CHECK(cxk_signer_headers_at(signer, headers.nonce, 64,
                                strtoull(headers.timestamp, NULL, 10), &again) == CXK_OK);
    CHECK(memcmp(&again, &headers, sizeof again) == 0);
    last = headers;
  }
  cxk_signer_free(signer);
}

int main(void) {
  int vectors;
  check_version();
  check_statuses();
  check_new_refuses();
  check_signing_refuses();
  check_wrong_handles();
  check_fresh();
  vectors = check_vectors();
  printf("%d vectors, %d mistakes\n", vectors, mistakes);
  return mistakes == 0 ? 0 : 1;
}
