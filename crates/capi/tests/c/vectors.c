/*
 * Runs the known answers of vectors/auth.tsv, read from standard input, through the C library: signing,
 * verifying one by one, and verifying in a batch. It counts failures and does not stop at the first.
 */
#include "check.h"

enum { FIELDS_MAX = 32 };

static int has_line(const cxk_header_lines *lines, const char *name, const char *value) {
  char line[512];
  uint32_t i;
  snprintf(line, sizeof line, "%s: %s", name, value);
  for (i = 0; i < lines->count; i++) {
    if (strcmp(lines->line[i], line) == 0) return 1;
  }
  return 0;
}

static cxk_level level_of(const char *name) {
  return strcmp(name, "advanced") == 0 ? CXK_LEVEL_ADVANCED : CXK_LEVEL_STANDARD;
}

static void check_signing(char *const field[FIELDS_MAX]) {
  const cxk_level level = level_of(field[3]);
  const int advanced = level == CXK_LEVEL_ADVANCED;
  const char *const nonce = advanced ? field[5] : "";
  const char *const timestamp = advanced ? field[6] : "";
  cxk_signer *signer = NULL;
  cxk_headers headers, again;
  cxk_header_lines lines;

  CHECK(cxk_signer_new(strtoull(field[2], NULL, 10), level, field[4], strlen(field[4]), &signer) ==
        CXK_OK);
  memset(field[4], 0, strlen(field[4])); /* the signer needs the key no more */
  CHECK(cxk_signer_headers_at(signer, nonce, strlen(nonce), strtoull(timestamp, NULL, 10),
                              &headers) == CXK_OK);
  CHECK(strcmp(headers.key_id, field[2]) == 0);
  CHECK(strcmp(headers.authorization, field[7]) == 0);
  CHECK(strcmp(headers.nonce, nonce) == 0);
  CHECK(strcmp(headers.timestamp, timestamp) == 0);

  /* Header lines of a new signature equal those for the same nonce and time. */
  CHECK(cxk_signer_header_lines(signer, &lines) == CXK_OK);
  CHECK(lines.count == (advanced ? 4u : 2u));
  CHECK(has_line(&lines, CXK_HEADER_KEY_ID, field[2]));
  if (advanced) {
    const char *const drawn = lines.line[2] + strlen(CXK_HEADER_NONCE ": ");
    const char *const now = lines.line[3] + strlen(CXK_HEADER_TIMESTAMP ": ");
    CHECK(cxk_signer_headers_at(signer, drawn, 64, strtoull(now, NULL, 10), &again) == CXK_OK);
    CHECK(has_line(&lines, CXK_HEADER_AUTHORIZATION, again.authorization));
  } else {
    CHECK(has_line(&lines, CXK_HEADER_AUTHORIZATION, field[7]));
  }
  cxk_wipe(&headers, sizeof headers);
  CHECK(all_zero(&headers, sizeof headers));
  cxk_signer_free(signer);
}

/* Decodes hexadecimal digits in place; returns the number of bytes. */
static size_t unhex(char *text) {
  size_t i;
  unsigned byte;
  for (i = 0; text[2 * i] != 0; i++) {
    if (sscanf(text + 2 * i, "%2x", &byte) != 1) exit(1);
    text[i] = (char)(unsigned char)byte;
  }
  return i;
}

static void check_verifying(char *const field[FIELDS_MAX], size_t fields) {
  cxk_keyring *keyring = new_keyring();
  cxk_replay_guard *guard = new_guard(1);
  cxk_verifier *verifier = new_verifier(strtoull(field[4], NULL, 10), keyring, guard);
  cxk_verifier *own_guard = new_verifier(strtoull(field[4], NULL, 10), keyring, NULL);
  const uint64_t now_ms = strtoull(field[3], NULL, 10);
  const int accepted = strcmp(field[2], "accept") == 0;
  cxk_header headers[FIELDS_MAX];
  cxk_request requests[2];
  cxk_principal principal, principals[2];
  cxk_status status, statuses[2];
  size_t count = 0, i;

  if (strcmp(field[5], "-") != 0) {
    const uint64_t never = CXK_NEVER;
    CHECK(put_key(keyring, strtoull(field[5], NULL, 10), level_of(field[6]), field[7],
                  strcmp(field[8], "-") == 0 ? never : strtoull(field[8], NULL, 10),
                  strcmp(field[9], "1") == 0 ? CXK_KEY_REVOKED : 0) == CXK_OK);
  }
  for (i = 10; i < fields; i++) {
    char *const value = strchr(field[i], '=') + 1;
    headers[count].name = field[i];
    headers[count].name_len = (size_t)(value - 1 - field[i]);
    headers[count].value = value;
    headers[count].value_len = unhex(value);
    count++;
  }
  status = cxk_verify(verifier, headers, count, now_ms, &principal);
  if (strcmp(accepted ? "ok" : field[2], cxk_status_name(status)) != 0) {
    printf("not ok: %s: %s instead of %s\n", field[1], cxk_status_name(status), field[2]);
    mistakes++;
  }
  CHECK(all_zero(&principal, sizeof principal) == !accepted);
  if (accepted) CHECK(principal.key_id == strtoull(field[5], NULL, 10));

  /* In a batch, twice: an Advanced request is not accepted a second time. */
  requests[0].headers = requests[1].headers = headers;
  requests[0].count = requests[1].count = count;
  CHECK(cxk_verify_batch(own_guard, requests, 2, now_ms, statuses, principals) ==
        (accepted ? CXK_OK : CXK_SOME_REFUSED));
  CHECK(statuses[0] == status && statuses[1] == status);
  CHECK(all_zero(principals, sizeof principals) == !accepted);
  CHECK(cxk_verify_batch(verifier, requests, 2, now_ms, statuses, principals) ==
        (accepted && principal.signed_ms == 0 ? CXK_OK : CXK_SOME_REFUSED));
  if (accepted && principal.signed_ms != 0) {
    CHECK(statuses[0] == CXK_VERDICT_REPLAYED && statuses[1] == CXK_VERDICT_REPLAYED);
  } else {
    CHECK(statuses[0] == status && statuses[1] == status);
  }
  cxk_verifier_free(verifier);
  cxk_verifier_free(own_guard);
  cxk_replay_guard_free(guard);
  cxk_keyring_free(keyring);
}

int main(void) {
  char line[4096];
  int count = 0;
  while (fgets(line, sizeof line, stdin) != NULL) {
    char *field[FIELDS_MAX];
    size_t fields = 0;
    char *next = line;
    if (line[0] == '#') continue;
    line[strcspn(line, "\n")] = 0;
    while (next != NULL && fields < FIELDS_MAX) {
      field[fields++] = next;
      next = strchr(next, '\t');
      if (next != NULL) *next++ = 0;
    }
    if (strcmp(field[0], "sign") == 0 && fields == 8) {
      check_signing(field);
    } else if (strcmp(field[0], "verify") == 0 && fields >= 10) {
      check_verifying(field, fields);
    } else {
      printf("not ok: a line that is neither: %s\n", field[0]);
      mistakes++;
    }
    count++;
  }
  printf("%d vectors, %d mistakes\n", count, mistakes);
  return mistakes == 0 && count > 0 ? 0 : 1;
}
