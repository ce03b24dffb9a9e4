/*
 * Tests the C library when it is used correctly: versions, texts, nonces, changing keys, replays,
 * guards, expiry, definitions and decisions. Misuse is in the misuse matrix, which is generated from
 * the header.
 *
 *   behaviour FOLDER      with before.ckc and after.ckc
 */
#ifndef _WIN32
#define _POSIX_C_SOURCE 200809L
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "check.h"

static void check_version(void) {
  char version[32];
  snprintf(version, sizeof version, "%d.%d.%d", CXK_VERSION_MAJOR, CXK_VERSION_MINOR,
           CXK_VERSION_PATCH);
  CHECK(strcmp(version, CXK_VERSION) == 0);
  CHECK(strcmp(version, cxk_version()) == 0);
  CHECK(cxk_abi_version() == CXK_ABI_VERSION);
  CHECK(cxk_abi_check() == CXK_OK);
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

static void check_helpers(void) {
  char a[64], nonce[CXK_NONCE_SIZE], last[CXK_NONCE_SIZE] = "";
  size_t i;
  for (i = 0; i < 1000; i++) {
    CHECK(cxk_nonce(nonce, sizeof nonce) == CXK_OK);
    CHECK(strlen(nonce) == 64 && strspn(nonce, NONCE) == 64 && strcmp(nonce, last) != 0);
    memcpy(last, nonce, sizeof last);
  }
  CHECK(cxk_equal(nonce, last, sizeof nonce) == 1);
  for (i = 0; i < 64; i++) {
    last[i] ^= 1;
    CHECK(cxk_equal(nonce, last, sizeof nonce) == 0);
    CHECK(cxk_equal(nonce, last, i == 0 ? 1 : i) == (i != 0));
    last[i] ^= 1;
  }
  CHECK(cxk_equal(nonce, last, 0) == 0);
  memset(a, 'a', sizeof a);
  cxk_wipe(a + 1, sizeof a - 2);
  CHECK(a[0] == 'a' && a[63] == 'a' && all_zero(a + 1, 62));
}

static void check_fresh(void) {
  cxk_signer *signer = new_signer(CXK_LEVEL_ADVANCED);
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
    /* The nonce and time that were drawn, passed explicitly, give the same digest. */
    CHECK(cxk_signer_headers_at(signer, headers.nonce, 64,
                                strtoull(headers.timestamp, NULL, 10), &again) == CXK_OK);
    CHECK(memcmp(&again, &headers, sizeof again) == 0);
    last = headers;
  }
  cxk_signer_free(signer);
}

static void check_batches(void) {
  enum { MOST = 300 };
  static cxk_signature batch[MOST + 1];
  cxk_signer *signer = new_signer(CXK_LEVEL_ADVANCED);
  cxk_headers one;
  size_t count, i, j;
  for (count = 0; count <= MOST; count += count < 70 ? 1 : 23) {
    memset(batch, 0x55, sizeof batch);
    CHECK(cxk_signer_sign_batch(signer, batch, count) == CXK_OK);
    CHECK(batch[count].nonce[0] == 0x55);
    for (i = 0; i < count; i++) {
      CHECK(strcmp(batch[i].timestamp, batch[0].timestamp) == 0);
      CHECK(cxk_signer_headers_at(signer, batch[i].nonce, strlen(batch[i].nonce),
                                  strtoull(batch[i].timestamp, NULL, 10), &one) == CXK_OK);
      CHECK(strcmp(one.authorization, batch[i].authorization) == 0);
      for (j = 0; j < i; j++) CHECK(strcmp(batch[i].nonce, batch[j].nonce) != 0);
    }
  }
  cxk_signer_free(signer);
}

static cxk_status verify(const cxk_verifier *verifier, const cxk_headers *headers,
                         cxk_principal *principal) {
  cxk_header request[4];
  const size_t count = as_request(headers, request);
  return cxk_verify(verifier, request, count, TIME_MS, principal);
}

static cxk_headers sign(uint64_t id, cxk_level level, const char *key, uint64_t ms, char mark) {
  char nonce[64];
  cxk_signer *signer = NULL;
  cxk_headers headers;
  memset(nonce, mark, sizeof nonce);
  CHECK(cxk_signer_new(id, level, key, strlen(key), &signer) == CXK_OK);
  CHECK(cxk_signer_headers_at(signer, nonce, sizeof nonce, ms, &headers) == CXK_OK);
  cxk_signer_free(signer);
  return headers;
}

static void check_keys_change(void) {
  cxk_keyring *keyring = new_keyring();
  cxk_verifier *verifier = new_verifier(0, keyring, NULL);
  const cxk_headers request = sign(7, CXK_LEVEL_ADVANCED, KEY, TIME_MS, 'n');
  const cxk_headers plain = sign(7, CXK_LEVEL_STANDARD, KEY, TIME_MS, 'n');
  cxk_principal principal;
  CHECK(verify(verifier, &request, &principal) == CXK_VERDICT_UNKNOWN_KEY);
  CHECK(put_key(keyring, 7, CXK_LEVEL_ADVANCED, "another", CXK_NEVER, 0) == CXK_OK);
  CHECK(verify(verifier, &request, &principal) == CXK_VERDICT_WRONG_SIGNATURE);
  CHECK(put_key(keyring, 7, CXK_LEVEL_ADVANCED, KEY, TIME_MS + 1, 0) == CXK_OK);
  CHECK(verify(verifier, &request, &principal) == CXK_OK);
  CHECK(principal.key_id == 7 && principal.level == CXK_LEVEL_ADVANCED);
  CHECK(principal.expires_ms == TIME_MS + 1 && principal.signed_ms == TIME_MS);
  CHECK(verify(verifier, &plain, &principal) == CXK_VERDICT_LEVEL_MISMATCH);
  CHECK(put_key(keyring, 7, CXK_LEVEL_ADVANCED, KEY, TIME_MS, 0) == CXK_OK);
  CHECK(verify(verifier, &request, &principal) == CXK_VERDICT_KEY_EXPIRED);
  CHECK(put_key(keyring, 7, CXK_LEVEL_STANDARD, KEY, CXK_NEVER, 0) == CXK_OK);
  CHECK(verify(verifier, &plain, &principal) == CXK_OK);
  CHECK(principal.signed_ms == 0 && principal.expires_ms == CXK_NEVER);
  CHECK(cxk_keyring_revoke(keyring, 7) == CXK_OK);
  CHECK(verify(verifier, &plain, &principal) == CXK_VERDICT_KEY_REVOKED);
  CHECK(cxk_keyring_remove(keyring, 7) == CXK_OK);
  CHECK(cxk_keyring_remove(keyring, 7) == CXK_NOT_FOUND);
  CHECK(cxk_keyring_revoke(keyring, 7) == CXK_NOT_FOUND);
  CHECK(verify(verifier, &plain, &principal) == CXK_VERDICT_UNKNOWN_KEY);
  /* A verifier keeps its own references. */
  CHECK(put_key(keyring, 7, CXK_LEVEL_STANDARD, KEY, CXK_NEVER, 0) == CXK_OK);
  cxk_keyring_free(keyring);
  CHECK(verify(verifier, &plain, &principal) == CXK_OK);
  cxk_verifier_free(verifier);
}

static void check_replays(void) {
  cxk_keyring *keyring = new_keyring();
  cxk_replay_guard *guard = new_guard(1000);
  cxk_verifier *one = new_verifier(0, keyring, guard), *other = new_verifier(0, keyring, guard);
  const cxk_headers request = sign(7, CXK_LEVEL_ADVANCED, KEY, TIME_MS, 'n');
  const cxk_headers late = sign(7, CXK_LEVEL_ADVANCED, KEY, TIME_MS - 60001, 'n');
  const cxk_headers early = sign(7, CXK_LEVEL_ADVANCED, KEY, TIME_MS + 60001, 'n');
  cxk_principal principal;
  CHECK(put_key(keyring, 7, CXK_LEVEL_ADVANCED, KEY, CXK_NEVER, 0) == CXK_OK);
  CHECK(verify(one, &request, &principal) == CXK_OK);
  CHECK(all_zero(principal.replay_tag, sizeof principal.replay_tag));
  CHECK(verify(one, &request, &principal) == CXK_VERDICT_REPLAYED);
  CHECK(verify(other, &request, &principal) == CXK_VERDICT_REPLAYED);
  CHECK(verify(one, &late, &principal) == CXK_VERDICT_TIMESTAMP_STALE);
  CHECK(verify(one, &early, &principal) == CXK_VERDICT_TIMESTAMP_FUTURE);
  cxk_replay_guard_free(guard);
  CHECK(verify(other, &request, &principal) == CXK_VERDICT_REPLAYED);
  cxk_verifier_free(one);
  cxk_verifier_free(other);
  cxk_keyring_free(keyring);
}

/* A guard that has just started, and one with a quota for each key. */
static void check_guards(void) {
  cxk_replay_guard_options options = CXK_REPLAY_GUARD_OPTIONS_INIT;
  cxk_replay_guard *guard = NULL;
  cxk_keyring *keyring = new_keyring();
  cxk_verifier *verifier;
  cxk_headers request = sign(7, CXK_LEVEL_ADVANCED, KEY, TIME_MS, 'n');
  cxk_key young = CXK_KEY_INIT;
  cxk_principal principal;
  int i;
  CHECK(put_key(keyring, 7, CXK_LEVEL_ADVANCED, KEY, CXK_NEVER, 0) == CXK_OK);
  options.entries = 1000;
  options.started_ms = TIME_MS - 1;
  CHECK(cxk_replay_guard_new(&options, &guard) == CXK_OK);
  verifier = new_verifier(0, keyring, guard);
  CHECK(verify(verifier, &request, &principal) == CXK_VERDICT_REPLAY_GUARD_STARTING);
  young.key_id = 7;
  young.level = CXK_LEVEL_ADVANCED;
  young.key = KEY;
  young.key_len = strlen(KEY);
  young.created_ms = TIME_MS - 1;
  CHECK(cxk_keyring_put(keyring, &young) == CXK_OK);
  CHECK(verify(verifier, &request, &principal) == CXK_OK);
  cxk_verifier_free(verifier);
  cxk_replay_guard_free(guard);

  options.started_ms = 0;
  options.flags = CXK_REPLAY_GUARD_FIRST;
  options.uses_per_key = 3;
  options.keys = 10;
  CHECK(cxk_replay_guard_new(&options, &guard) == CXK_OK);
  verifier = new_verifier(0, keyring, guard);
  for (i = 0; i < 5; i++) {
    request = sign(7, CXK_LEVEL_ADVANCED, KEY, TIME_MS, (char)('a' + i));
    CHECK(verify(verifier, &request, &principal) ==
          (i < 3 ? CXK_OK : CXK_VERDICT_REPLAY_GUARD_QUOTA));
  }
  cxk_verifier_free(verifier);
  cxk_replay_guard_free(guard);
  cxk_keyring_free(keyring);
}

/* Requests of all kinds, many of them equal, in a batch and one after another. */
static void check_batch_answers(uint32_t flags) {
  enum { COUNT = 400 };
  static cxk_headers signed_headers[COUNT];
  static cxk_header headers[COUNT][4];
  static cxk_request requests[COUNT];
  static cxk_status statuses[COUNT];
  static cxk_principal principals[COUNT];
  cxk_keyring *keyring = new_keyring();
  cxk_replay_guard *guards[2] = {NULL, NULL};
  cxk_verifier *verifiers[2];
  cxk_verifier_options options = CXK_VERIFIER_OPTIONS_INIT;
  size_t i, accepted = 0;
  CHECK(put_key(keyring, 1, CXK_LEVEL_ADVANCED, KEY, CXK_NEVER, 0) == CXK_OK);
  CHECK(put_key(keyring, 2, CXK_LEVEL_STANDARD, KEY, CXK_NEVER, 0) == CXK_OK);
  CHECK(put_key(keyring, 3, CXK_LEVEL_ADVANCED, KEY, CXK_NEVER, CXK_KEY_REVOKED) == CXK_OK);
  CHECK(put_key(keyring, 4, CXK_LEVEL_ADVANCED, KEY, TIME_MS, 0) == CXK_OK);
  CHECK(put_key(keyring, 5, CXK_LEVEL_ADVANCED, "another", CXK_NEVER, 0) == CXK_OK);
  options.flags = flags;
  for (i = 0; i < 2; i++) {
    if (flags == 0) guards[i] = new_guard(1000);
    CHECK(cxk_verifier_new(&options, keyring, guards[i], &verifiers[i]) == CXK_OK);
  }
  for (i = 0; i < COUNT; i++) {
    const uint64_t id = 1 + i % 7;
    const cxk_level level = i % 5 == 1 ? CXK_LEVEL_STANDARD : CXK_LEVEL_ADVANCED;
    const uint64_t ms = i % 11 == 0 ? TIME_MS - 60001 : TIME_MS + i % 3;
    signed_headers[i] = sign(id, level, KEY, ms, (char)('a' + i / 2 % 26));
    requests[i].headers = headers[i];
    requests[i].count = as_request(&signed_headers[i], headers[i]);
    if (i % 13 == 0) requests[i].count--;
    if (i % 17 == 0) headers[i][0].value_len = 0;
    if (i % 19 == 0) requests[i].headers = NULL;
  }
  CHECK(cxk_verify_batch(verifiers[0], requests, COUNT, TIME_MS, statuses, principals) ==
        CXK_SOME_REFUSED);
  for (i = 0; i < COUNT; i++) {
    cxk_principal principal;
    const cxk_status status =
        cxk_verify(verifiers[1], requests[i].headers, requests[i].count, TIME_MS, &principal);
    CHECK(status == statuses[i]);
    CHECK(memcmp(&principal, &principals[i], sizeof principal) == 0);
    accepted += status == CXK_OK;
  }
  CHECK(accepted > 20 && accepted < COUNT / 2);
  for (i = 0; i < 2; i++) {
    cxk_verifier_free(verifiers[i]);
    cxk_replay_guard_free(guards[i]);
  }
  cxk_keyring_free(keyring);
}

#ifndef _WIN32
/* A guard from before a fork refuses in the child; one that the child creates accepts. */
static void check_forks(void) {
  cxk_keyring *keyring = new_keyring();
  cxk_replay_guard *guard = new_guard(1000), *child_guard;
  cxk_verifier *verifier = new_verifier(0, keyring, guard);
  const cxk_headers request = sign(7, CXK_LEVEL_ADVANCED, KEY, TIME_MS, 'f');
  cxk_principal principal;
  pid_t child;
  int status = -1;
  CHECK(put_key(keyring, 7, CXK_LEVEL_ADVANCED, KEY, CXK_NEVER, 0) == CXK_OK);
  fflush(stdout);
  child = fork();
  if (child == 0) {
    mistakes = 0;
    CHECK(verify(verifier, &request, &principal) == CXK_VERDICT_REPLAY_GUARD_UNAVAILABLE);
    cxk_verifier_free(verifier);
    child_guard = new_guard(1000);
    verifier = new_verifier(0, keyring, child_guard);
    CHECK(verify(verifier, &request, &principal) == CXK_OK);
    CHECK(verify(verifier, &request, &principal) == CXK_VERDICT_REPLAYED);
    fflush(stdout);
    cxk_verifier_free(verifier);
    cxk_replay_guard_free(child_guard);
    cxk_replay_guard_free(guard);
    cxk_keyring_free(keyring);
    exit(mistakes);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(verify(verifier, &request, &principal) == CXK_OK);
  CHECK(verify(verifier, &request, &principal) == CXK_VERDICT_REPLAYED);
  cxk_verifier_free(verifier);
  cxk_replay_guard_free(guard);
  cxk_keyring_free(keyring);
}
#endif

static void check_own_guard(void) {
  cxk_keyring *keyring = new_keyring();
  cxk_verifier *verifier = new_verifier(0, keyring, NULL);
  const cxk_headers request = sign(7, CXK_LEVEL_ADVANCED, KEY, TIME_MS, 'n');
  const cxk_headers another = sign(7, CXK_LEVEL_ADVANCED, KEY, TIME_MS, 'm');
  cxk_principal first, second;
  CHECK(put_key(keyring, 7, CXK_LEVEL_ADVANCED, KEY, CXK_NEVER, 0) == CXK_OK);
  CHECK(verify(verifier, &request, &first) == CXK_OK);
  CHECK(verify(verifier, &request, &second) == CXK_OK);
  CHECK(memcmp(first.replay_tag, second.replay_tag, sizeof first.replay_tag) == 0);
  CHECK(!all_zero(first.replay_tag, sizeof first.replay_tag));
  CHECK(first.remember_until_ms == TIME_MS + 60000);
  CHECK(verify(verifier, &another, &second) == CXK_OK);
  CHECK(memcmp(first.replay_tag, second.replay_tag, sizeof first.replay_tag) != 0);
  cxk_verifier_free(verifier);
  cxk_keyring_free(keyring);
}

static void check_lenient_nonces(void) {
  cxk_keyring *keyring = new_keyring();
  cxk_verifier_options options = CXK_VERIFIER_OPTIONS_INIT;
  cxk_verifier *lenient = NULL, *strict = new_verifier(0, keyring, NULL);
  cxk_header headers[4];
  cxk_headers request = sign(7, CXK_LEVEL_ADVANCED, KEY, TIME_MS, 'n');
  cxk_principal principal;
  options.flags = CXK_VERIFIER_OWN_GUARD | CXK_VERIFIER_LENIENT_NONCES;
  CHECK(cxk_verifier_new(&options, keyring, NULL, &lenient) == CXK_OK);
  CHECK(put_key(keyring, 7, CXK_LEVEL_ADVANCED, KEY, CXK_NEVER, 0) == CXK_OK);
  as_request(&request, headers);
  headers[2].value_len = 32; /* well-formed to one, and not signed so */
  CHECK(cxk_verify(strict, headers, 4, TIME_MS, &principal) == CXK_VERDICT_BAD_NONCE);
  CHECK(cxk_verify(lenient, headers, 4, TIME_MS, &principal) == CXK_VERDICT_WRONG_SIGNATURE);
  cxk_verifier_free(lenient);
  cxk_verifier_free(strict);
  cxk_keyring_free(keyring);
}

static void check_expiry(void) {
  const uint64_t day = 86400000u, at = TIME_MS;
  cxk_expiry expiry;
  CHECK(cxk_expiry_at(at, at, &expiry) == CXK_OK && expiry.state == CXK_EXPIRY_EXPIRED);
  CHECK(expiry.expires_ms == at && expiry.reserved == 0);
  CHECK(expiry.week_notice_due_ms == at - 7 * day && expiry.day_notice_due_ms == at - day);
  CHECK(cxk_expiry_at(at, at - 1, &expiry) == CXK_OK && expiry.state == CXK_EXPIRY_WITHIN_DAY);
  CHECK(cxk_expiry_at(at, at - day - 1, &expiry) == CXK_OK);
  CHECK(expiry.state == CXK_EXPIRY_WITHIN_WEEK);
  CHECK(cxk_expiry_at(at, 0, &expiry) == CXK_OK && expiry.state == CXK_EXPIRY_VALID);
  CHECK(cxk_expiry_at(CXK_NEVER, UINT64_MAX, &expiry) == CXK_OK);
  CHECK(expiry.state == CXK_EXPIRY_VALID && expiry.day_notice_due_ms == CXK_NEVER);
}

/* A structure of a later release is accepted if its new fields are zero, and otherwise not. */
static void check_structures(void) {
  struct {
    cxk_key key;
    unsigned char tail[64];
  } later;
  cxk_keyring *keyring = new_keyring();
  memset(&later, 0, sizeof later);
  later.key.struct_size = sizeof later;
  later.key.level = CXK_LEVEL_STANDARD;
  later.key.key_id = 7;
  later.key.key = KEY;
  later.key.key_len = strlen(KEY);
  CHECK(cxk_keyring_put(keyring, &later.key) == CXK_OK);
  later.tail[63] = 1;
  CHECK(cxk_keyring_put(keyring, &later.key) == CXK_INVALID_STRUCT);
  later.key.struct_size = 0;
  CHECK(cxk_keyring_put(keyring, &later.key) == CXK_INVALID_STRUCT);
  later.key.struct_size = sizeof(cxk_key) - 1;
  CHECK(cxk_keyring_put(keyring, &later.key) == CXK_INVALID_STRUCT);
  later.key.struct_size = UINT32_MAX;
  CHECK(cxk_keyring_put(keyring, &later.key) == CXK_INVALID_STRUCT);
  cxk_keyring_free(keyring);
}

static void check_definitions(const cxk_definitions *before, const cxk_definitions *after) {
  cxk_definition one;
  size_t at = 7, gains = 7;
  char text[4096], *line;
  CHECK(cxk_definitions_get(before, 0, &one) == CXK_OK);
  CHECK(strcmp(one.name, "export") == 0 && strcmp(one.tenant, "eu") == 0);
  CHECK(one.key_id == 17 && one.level == CXK_LEVEL_ADVANCED && one.lifetime_ms == 0);
  CHECK(one.expires_ms == 1803859200000u);
  CHECK(cxk_definitions_get(before, 1, &one) == CXK_OK);
  CHECK(strcmp(one.name, "lab") == 0 && one.key_id == 0 && one.level == CXK_LEVEL_STANDARD);
  CHECK(one.expires_ms == CXK_NEVER && one.lifetime_ms == 90 * (uint64_t)86400000);
  CHECK(cxk_definitions_get(before, 2, &one) == CXK_NOT_FOUND && all_zero(&one, sizeof one));
  CHECK(cxk_definitions_find(after, "lab", 3, &at) == CXK_AMBIGUOUS_NAME && at == CXK_NOWHERE);
  CHECK(cxk_definitions_find(after, "old/lab", 7, &at) == CXK_OK && at == 2);
  CHECK(cxk_definitions_find(after, "nobody", 6, &at) == CXK_NOT_FOUND);
  CHECK(at == CXK_NOWHERE);
  CHECK(cxk_definitions_find_id(after, 16, &at) == CXK_OK && at == 0);
  CHECK(cxk_definitions_find_id(after, 18, &at) == CXK_NOT_FOUND);
  CHECK(cxk_definitions_find_id(after, 0, &at) == CXK_NOT_FOUND);

  CHECK(cxk_compare(before, before, text, sizeof text, &gains) == CXK_OK);
  CHECK(gains == 0 && text[0] == 0);
  CHECK(cxk_compare(before, after, text, sizeof text, &gains) == CXK_OK && gains == 6);
  CHECK(strstr(text, "new-key\told/lab\t") != NULL);
  CHECK(strstr(text, "asset-group-added\teu/export\tasset group prod-us ") != NULL);
  CHECK(strstr(text, "lifetime-longer\tlab/lab\t") != NULL);
  for (line = text, at = 0; *line != 0; line = strchr(line, '\n') + 1) at++;
  CHECK(at == gains);
  /* Truncated, terminated, and with the full length. */
  CHECK(cxk_compare(before, after, text, 5, &gains) == CXK_OK && gains == 6);
  CHECK(strlen(text) == 4);
}

static cxk_status ask(const cxk_definitions *definitions, const char *name,
                      const cxk_question *question, const char *why) {
  char text[CXK_LINE_SIZE];
  cxk_decision decision, silent;
  size_t at = 0;
  cxk_status status;
  CHECK(cxk_definitions_find(definitions, name, strlen(name), &at) == CXK_OK);
  status = cxk_decide(definitions, at, question, &decision, text, sizeof text);
  if (strstr(text, why) == NULL) {
    printf("not ok: \"%s\" without \"%s\"\n", text, why);
    mistakes++;
  }
  CHECK(decision.decided == 1 && decision.answer == status);
  CHECK(cxk_decide(definitions, at, question, &silent, NULL, 0) == status);
  CHECK(memcmp(&decision, &silent, sizeof silent) == 0);
  CHECK(decision.scopes_off == (strcmp(name, "lab/lab") == 0 && question->kind > 2));
  return status;
}

/* After an error, no field can be mistaken for an allowed answer. */
static void check_no_answer(const cxk_definitions *definitions) {
  cxk_question question = CXK_QUESTION_INIT;
  cxk_decision decision = {CXK_OK, CXK_OK, 1, 1};
  question.kind = CXK_ASK_ACTION;
  question.name = "Isolate";
  CHECK(cxk_decide(definitions, CXK_NOWHERE, &question, &decision, NULL, 0) == CXK_NOT_FOUND);
  CHECK(decision.answer == CXK_NOT_FOUND && decision.if_enforced == CXK_NOT_FOUND);
  CHECK(decision.decided == 0 && decision.scopes_off == 0);
  /* A permission that was not set. */
  question.kind = CXK_ASK_COMPONENT;
  question.name = "Public API";
  CHECK(cxk_decide(definitions, 0, &question, &decision, NULL, 0) == CXK_INVALID_OPTION);
  CHECK(decision.answer == CXK_INVALID_OPTION && decision.if_enforced == CXK_INVALID_OPTION);
}

static void check_decisions(const cxk_definitions *definitions) {
  const char *const us[] = {"prod-us"}, *const ap[] = {"prod-ap", "x"}, *const eu[] = {"servers-eu"};
  const cxk_endpoint endpoint = {eu, 1, NULL, 0};
  const cxk_reference references[] = {{ap, 2, &endpoint, CXK_REFERENCE_ASSET, 0},
                                      {NULL, 0, NULL, CXK_REFERENCE_UNKNOWN, 0}};
  const cxk_reference deleted = {NULL, 0, NULL, CXK_REFERENCE_DELETED, 0};
  const cxk_issue issues[] = {{"Security", references, 2}, {"IT", NULL, 0}};
  const cxk_field row[] = {{"_vendor", "acme"}}, other[] = {{"_vendor", "b"}};
  cxk_question question = CXK_QUESTION_INIT;

  check_no_answer(definitions);
  question.kind = CXK_ASK_COMPONENT;
  question.name = "Public API";
  question.permission = CXK_PERMISSION_EDIT;
  CHECK(ask(definitions, "export", &question, "Public API is held at edit") == CXK_OK);
  CHECK(ask(definitions, "lab/lab", &question, "view at most") == CXK_DECISION_REFUSED);
  question.kind = CXK_ASK_ACTION;
  question.name = "Live Terminal";
  CHECK(ask(definitions, "export", &question, "no source says") == CXK_DECISION_UNKNOWN);
  question.name = "Isolate";
  CHECK(ask(definitions, "export", &question, "Isolate is held") == CXK_OK);
  /* Names are compared byte by byte. */
  question.name = "isolate";
  CHECK(ask(definitions, "export", &question, "no source says") == CXK_DECISION_UNKNOWN);

  question.kind = CXK_ASK_ASSET;
  question.groups = us;
  question.group_count = 1;
  CHECK(ask(definitions, "export", &question, "prod-us is selected") == CXK_OK);
  CHECK(ask(definitions, "lab/lab", &question, "scopes are off") == CXK_OK);
  CHECK(ask(definitions, "old/lab", &question, "older model") == CXK_DECISION_UNKNOWN);
  question.kind = CXK_ASK_FINDING;
  question.groups = ap;
  question.group_count = 2;
  CHECK(ask(definitions, "export", &question, "asset group prod-ap added to the scope") ==
        CXK_DECISION_REFUSED);

  question.kind = CXK_ASK_ISSUE;
  question.name = "Security";
  question.references = references;
  question.reference_count = 2;
  CHECK(ask(definitions, "export", &question, "servers-eu is selected") == CXK_OK);
  question.references = &deleted;
  question.reference_count = 1;
  CHECK(ask(definitions, "export", &question, "not in scope") == CXK_DECISION_REFUSED);
  question.reference_count = 0;
  CHECK(ask(definitions, "export", &question, "not in scope") == CXK_DECISION_REFUSED);
  question.kind = CXK_ASK_CASE;
  question.issues = issues;
  question.issue_count = 2;
  CHECK(ask(definitions, "export", &question, "servers-eu is selected") == CXK_OK);
  question.name = "Caf\xc3\xa9";
  CHECK(ask(definitions, "export", &question, "domain Caf\xc3\xa9 added to the scope") ==
        CXK_DECISION_REFUSED);

  question.kind = CXK_ASK_ENDPOINT;
  question.groups = eu;
  question.group_count = 1;
  question.tags = us;
  question.tag_count = 1;
  CHECK(ask(definitions, "export", &question, "servers-eu is selected") == CXK_OK);
  question.kind = CXK_ASK_MANAGE_ENDPOINT;
  question.group_count = 0;
  CHECK(ask(definitions, "export", &question, "") == CXK_DECISION_REFUSED);

  question.kind = CXK_ASK_DATASET_ROW;
  question.name = "xdr_data";
  question.fields = row;
  question.field_count = 1;
  CHECK(ask(definitions, "export", &question, "row matches") == CXK_OK);
  question.fields = other;
  CHECK(ask(definitions, "export", &question, "does not match") == CXK_DECISION_REFUSED);
  question.field_count = 0;
  CHECK(ask(definitions, "export", &question, "unknown whether the row matches") == CXK_DECISION_UNKNOWN);
}

/* Truncated text is terminated, and no character is split. */
static void check_cut(const cxk_definitions *definitions) {
  cxk_question question = CXK_QUESTION_INIT;
  char whole[CXK_LINE_SIZE], text[CXK_LINE_SIZE];
  cxk_decision decision;
  size_t size;
  question.kind = CXK_ASK_ACTION;
  question.name = "\xf0\x9f\x94\x91\n\xc3\xa9";
  CHECK(cxk_decide(definitions, 0, &question, &decision, whole, sizeof whole) ==
        CXK_DECISION_UNKNOWN);
  CHECK(strstr(whole, "\xf0\x9f\x94\x91 \xc3\xa9 is held") != NULL);
  for (size = 1; size <= strlen(whole) + 1; size++) {
    memset(text, 'x', sizeof text);
    CHECK(cxk_decide(definitions, 0, &question, &decision, text, size) == CXK_DECISION_UNKNOWN);
    CHECK(strlen(text) < size && strncmp(whole, text, strlen(text)) == 0);
    CHECK((whole[strlen(text)] & 0xc0) != 0x80);
    CHECK(text[size] == 'x');
  }
}

static void check_load(void) {
  const char yaml[] = "apiVersion: cortexkey/v1";
  char newer[48] = "\x89" "CKC\r\n\x1a\n\3";
  cxk_definitions *definitions;
  CHECK(cxk_definitions_load(yaml, 0, &definitions) == CXK_INVALID_DEFINITIONS);
  CHECK(cxk_definitions_load(yaml, 24, &definitions) == CXK_INVALID_DEFINITIONS);
  CHECK(cxk_definitions_load(newer, sizeof newer, &definitions) == CXK_UNSUPPORTED_FORMAT);
  CHECK(definitions == NULL);
}

int main(int argc, char **argv) {
  cxk_definitions *before, *after;
  if (argc != 2) return 2;
  before = load(argv[1], "before.ckc");
  after = load(argv[1], "after.ckc");
  check_definitions(before, after);
  check_decisions(after);
  check_cut(after);
  check_load();
  cxk_definitions_free(before);
  cxk_definitions_free(after);
  check_version();
  check_statuses();
  check_helpers();
  check_fresh();
  check_batches();
  check_keys_change();
  check_replays();
  check_guards();
  check_batch_answers(0);
  check_batch_answers(CXK_VERIFIER_OWN_GUARD);
#ifndef _WIN32
  check_forks();
#endif
  check_own_guard();
  check_lenient_nonces();
  check_expiry();
  check_structures();
  printf("%d mistakes\n", mistakes);
  return mistakes == 0 ? 0 : 1;
}
