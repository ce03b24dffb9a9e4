/*
 * Shared by the C tests: a check that counts failures instead of stopping, and handles to test with.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cortexkey.h"

/* Included twice, as it can happen through other headers. */
#include "cortexkey.h"

static int mistakes;

#define CHECK(good)                                                      \
  do {                                                                   \
    if (!(good)) {                                                       \
      printf("not ok: %s:%d: %s\n", __FILE__, __LINE__, #good);          \
      mistakes++;                                                        \
    }                                                                    \
  } while (0)

static const char KEY[] = "a-test-key-of-no-tenant";
static const char NONCE[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab";
static const uint64_t TIME_MS = 1700000000000u;

static inline int all_zero(const void *memory, size_t size) {
  const unsigned char *bytes = (const unsigned char *)memory;
  size_t i;
  for (i = 0; i < size; i++) {
    if (bytes[i] != 0) return 0;
  }
  return 1;
}

static inline cxk_signer *new_signer(cxk_level level) {
  cxk_signer *signer = NULL;
  CHECK(cxk_signer_new(7, level, KEY, strlen(KEY), &signer) == CXK_OK);
  if (signer == NULL) exit(1);
  return signer;
}

static inline cxk_status put_key(cxk_keyring *keyring, uint64_t id, cxk_level level,
                                 const char *key, uint64_t expires_ms, uint32_t flags) {
  cxk_key stored = CXK_KEY_INIT;
  stored.key_id = id;
  stored.level = level;
  stored.key = key;
  stored.key_len = strlen(key);
  stored.expires_ms = expires_ms;
  stored.flags = flags;
  return cxk_keyring_put(keyring, &stored);
}

static inline cxk_keyring *new_keyring(void) {
  cxk_keyring *keyring = NULL;
  CHECK(cxk_keyring_new(&keyring) == CXK_OK);
  if (keyring == NULL) exit(1);
  return keyring;
}

static inline cxk_replay_guard *new_guard(uint64_t entries) {
  cxk_replay_guard_options options = CXK_REPLAY_GUARD_OPTIONS_INIT;
  cxk_replay_guard *guard = NULL;
  options.entries = entries;
  options.flags = CXK_REPLAY_GUARD_FIRST;
  options.skew_ms = 300000;
  CHECK(cxk_replay_guard_new(&options, &guard) == CXK_OK);
  if (guard == NULL) exit(1);
  return guard;
}

static inline cxk_verifier *new_verifier(uint64_t skew_ms, const cxk_keyring *keyring,
                                         cxk_replay_guard *guard) {
  cxk_verifier_options options = CXK_VERIFIER_OPTIONS_INIT;
  cxk_verifier *verifier = NULL;
  options.skew_ms = skew_ms;
  options.flags = guard == NULL ? CXK_VERIFIER_OWN_GUARD : 0;
  CHECK(cxk_verifier_new(&options, keyring, guard, &verifier) == CXK_OK);
  if (verifier == NULL) exit(1);
  return verifier;
}

/* Compiled definitions from a file. */
static inline cxk_definitions *load(const char *folder, const char *name) {
  static char bytes[1 << 16];
  char path[4096];
  cxk_definitions *definitions = NULL;
  size_t len;
  FILE *file;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  file = fopen(path, "rb");
  if (file == NULL) {
    printf("cannot open %s\n", path);
    exit(1);
  }
  len = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  CHECK(cxk_definitions_load(bytes, len, &definitions) == CXK_OK);
  memset(bytes, 0, sizeof bytes); /* the library has a copy */
  if (definitions == NULL) exit(1);
  return definitions;
}

/* The headers of a signer in the form that a verifier takes; returns their number. */
static inline size_t as_request(const cxk_headers *headers, cxk_header request[4]) {
  const char *const names[4] = {CXK_HEADER_KEY_ID, CXK_HEADER_AUTHORIZATION, CXK_HEADER_NONCE,
                                CXK_HEADER_TIMESTAMP};
  const char *values[4];
  size_t count = headers->nonce[0] == 0 ? 2 : 4, i;
  values[0] = headers->key_id;
  values[1] = headers->authorization;
  values[2] = headers->nonce;
  values[3] = headers->timestamp;
  for (i = 0; i < count; i++) {
    request[i].name = names[i];
    request[i].name_len = strlen(names[i]);
    request[i].value = values[i];
    request[i].value_len = strlen(values[i]);
  }
  return count;
}

#endif /* CHECK_H */
