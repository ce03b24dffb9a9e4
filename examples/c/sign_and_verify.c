/* Signs a request, verifies it, and refuses a replay of the same headers.
 *
 *   cc sign_and_verify.c $(pkg-config --cflags --libs cortexkey) -o sign_and_verify && ./sign_and_verify
 *
 * A client with libcurl and a server with libmicrohttpd are installed beside the library, under
 * share/doc/cortexkey/examples. */
#include <cortexkey.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char key[] = "a-key-of-the-example";

/* What a client does, for each attempt. */
static cxk_status sign(cxk_headers *headers) {
  cxk_signer *signer = NULL; /* a program that signs often keeps it */
  cxk_status status = cxk_signer_new(7, CXK_LEVEL_ADVANCED, key, strlen(key), &signer);
  if (status == CXK_OK) status = cxk_signer_headers(signer, headers);
  cxk_signer_free(signer);
  return status;
}

/* What a service keeps: its keys, and one replay guard for all of them. */
static cxk_status make_verifier(cxk_verifier **verifier) {
  cxk_keyring *keyring = NULL;
  cxk_replay_guard *guard = NULL;
  cxk_key stored = CXK_KEY_INIT;
  cxk_replay_guard_options options = CXK_REPLAY_GUARD_OPTIONS_INIT;
  stored.key_id = 7;
  stored.level = CXK_LEVEL_ADVANCED;
  stored.key = key;
  stored.key_len = strlen(key);
  options.entries = 12000;                /* 100 requests a second, for twice the skew of a minute */
  options.flags = CXK_REPLAY_GUARD_FIRST; /* after a restart set started_ms instead */
  cxk_status status = cxk_keyring_new(&keyring);
  if (status == CXK_OK) status = cxk_keyring_put(keyring, &stored);
  if (status == CXK_OK) status = cxk_replay_guard_new(&options, &guard);
  if (status == CXK_OK) status = cxk_verifier_new(NULL, keyring, guard, verifier);
  /* The verifier keeps its own references. */
  cxk_keyring_free(keyring);
  cxk_replay_guard_free(guard);
  return status;
}

static cxk_header header(const char *name, const char *value) {
  const cxk_header header = {name, strlen(name), value, strlen(value)};
  return header;
}

int main(void) {
  cxk_headers sent;
  cxk_verifier *verifier = NULL;
  cxk_principal principal;
  if (sign(&sent) != CXK_OK || make_verifier(&verifier) != CXK_OK) return 2;
  const cxk_header received[] = {
      header(CXK_HEADER_KEY_ID, sent.key_id),
      header(CXK_HEADER_AUTHORIZATION, sent.authorization),
      header(CXK_HEADER_NONCE, sent.nonce),
      header(CXK_HEADER_TIMESTAMP, sent.timestamp),
  };
  const uint64_t now_ms = (uint64_t)time(NULL) * 1000;
  const cxk_status first = cxk_verify(verifier, received, 4, now_ms, &principal);
  printf("first: %s, key %llu\n", cxk_status_name(first), (unsigned long long)principal.key_id);
  /* The name is for the log. To the client every refusal is the same 401. */
  const cxk_status second = cxk_verify(verifier, received, 4, now_ms, &principal);
  printf("second: %s\n", cxk_status_name(second));
  cxk_verifier_free(verifier);
  return first == CXK_OK && second == CXK_VERDICT_REPLAYED ? 0 : 1;
}
