/*
 * Every function of the header, called wrongly in every way that the header lets one see.
 * Made from the header by xtask/src/capi/misuse.rs.
 *
 *   misuse FOLDER      with after.ckc
 */
#include "check.h"

#define OUT(type) ((type *)(void *)output)

/* By way of a variable, since compilers see through a literal NULL in a CXK_NONNULL place. */
static void *volatile null;

static int is_no_decision(const cxk_decision *decision) {
  return decision->decided == 0 && decision->scopes_off == 0 && decision->answer < 0 &&
         decision->if_enforced == decision->answer;
}

static uint64_t output[(1 << 20) / 8];
static uint64_t rubbish[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static char text[4096], long_text[8192], bytes[4096];
static size_t bytes_len;
static const char *names[8192];
static char KEY_WITH_DASH[65];

static cxk_signer *signer, *standard;
static cxk_keyring *keyring;
static cxk_replay_guard *guard;
static cxk_verifier *verifier;
static cxk_definitions *definitions;

static cxk_key key;
static cxk_replay_guard_options guard_options;
static cxk_verifier_options verifier_options;
static cxk_header headers[2];
static cxk_request requests[2];
static cxk_status statuses[2];
static cxk_question question;
static cxk_reference reference;
static cxk_issue issue;
static cxk_field field;

static void set_up(const char *folder) {
  char path[4096];
  FILE *file;
  snprintf(path, sizeof path, "%s/after.ckc", folder);
  file = fopen(path, "rb");
  if (file == NULL) exit(2);
  bytes_len = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  memset(long_text, 'x', sizeof long_text - 1);
  memset(KEY_WITH_DASH, 'n', 63);
  KEY_WITH_DASH[63] = '-';
  signer = new_signer(CXK_LEVEL_ADVANCED);
  standard = new_signer(CXK_LEVEL_STANDARD);
  keyring = new_keyring();
  CHECK(put_key(keyring, 7, CXK_LEVEL_STANDARD, "a-key", CXK_NEVER, 0) == CXK_OK);
  guard = new_guard(10);
  verifier = new_verifier(0, keyring, guard);
  definitions = load(folder, "after.ckc");
}

/* What a call may change is as it was, and outputs are dirty. */
static void reset(void) {
  const cxk_key new_key = CXK_KEY_INIT;
  const cxk_replay_guard_options new_guard_options = CXK_REPLAY_GUARD_OPTIONS_INIT;
  const cxk_verifier_options new_verifier_options = CXK_VERIFIER_OPTIONS_INIT;
  const cxk_question new_question = CXK_QUESTION_INIT;
  memset(output, 0x55, 8192);
  memset(text, 0x55, sizeof text);
  memset(statuses, 0x55, sizeof statuses);
  key = new_key;
  key.key_id = 7;
  key.level = CXK_LEVEL_STANDARD;
  key.key = "a-key";
  key.key_len = 5;
  guard_options = new_guard_options;
  guard_options.entries = 1;
  guard_options.started_ms = TIME_MS;
  verifier_options = new_verifier_options;
  headers[0].name = "X-XDR-Auth-ID";
  headers[0].name_len = 13;
  headers[0].value = "7";
  headers[0].value_len = 1;
  headers[1].name = "authorization";
  headers[1].name_len = 13;
  headers[1].value = "a-key";
  headers[1].value_len = 5;
  requests[0].headers = requests[1].headers = headers;
  requests[0].count = requests[1].count = 2;
  question = new_question;
  question.kind = CXK_ASK_ACTION;
  question.name = "Isolate";
  names[0] = "a name";
  memset(&reference, 0, sizeof reference);
  memset(&issue, 0, sizeof issue);
  memset(&field, 0, sizeof field);
}

static void answered(long got, long wanted, const char *call) {
  if (got != wanted) {
    printf("not ok: %s answers %ld (%s), not %ld\n", call, got, cxk_status_name((cxk_status)got),
           wanted);
    mistakes++;
  }
  if (wanted < 0 && strncmp(call, "cxk_verify_batch(", 17) == 0 && wanted != CXK_TOO_LARGE &&
      wanted != CXK_SOME_REFUSED && strstr(call, "null, OUT") == NULL) {
    /* No status of a batch says yes where the call says no. */
    CHECK(statuses[0] == wanted && statuses[1] == wanted);
  }
}

/* Whether what nobody freed still works. */
static int alive(void) {
  cxk_headers signed_headers;
  cxk_principal principal;
  cxk_definition definition;
  return rubbish[0] == 1 && cxk_signer_headers(signer, &signed_headers) == CXK_OK &&
         cxk_verify(verifier, headers, 2, TIME_MS, &principal) == CXK_OK &&
         cxk_definitions_get(definitions, 0, &definition) == CXK_OK;
}

static void tear_down(void) {
  cxk_signer_free(signer);
  cxk_signer_free(standard);
  cxk_verifier_free(verifier);
  cxk_replay_guard_free(guard);
  cxk_keyring_free(keyring);
  cxk_definitions_free(definitions);
}
