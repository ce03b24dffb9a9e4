/* A server on loopback that verifies every request: verify_server KEY-ID standard|advanced
 * The key is read from the environment variable CORTEXKEY_API_KEY. The server prints its port, and
 * stops at the end of standard input.
 *   cc verify_server.c $(pkg-config --cflags --libs cortexkey libmicrohttpd) -o verify_server */
#include <arpa/inet.h>
#include <cortexkey.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct found {
  cxk_header headers[64];
  size_t count;
  int is_too_many;
};

static enum MHD_Result add(void *to, enum MHD_ValueKind kind, const char *name, size_t name_len,
                           const char *value, size_t value_len) {
  struct found *found = to;
  (void)kind;
  if (found->count == 64) return found->is_too_many = 1, MHD_NO; /* not verified without the rest */
  found->headers[found->count++] = (cxk_header){name, name_len, value, value_len};
  return MHD_YES;
}

static enum MHD_Result answer(void *verifier, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *body_len, void **state) {
  static const char refused[] = "{\"reply\":{\"err_code\":401,\"err_msg\":\"Public API request "
                                "unauthorized\",\"err_extra\":null}}";
  struct found found = {.count = 0, .is_too_many = 0};
  struct timespec now;
  cxk_principal principal = {0};
  char text[64];
  (void)url, (void)method, (void)version, (void)body;
  if (*state == NULL) return *state = verifier, MHD_YES; /* the headers are here, the body is not */
  if (*body_len > 0) return *body_len = 0, MHD_YES;      /* a body does not matter */
  clock_gettime(CLOCK_REALTIME, &now);
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add, &found);
  const uint64_t now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
  const cxk_status status =
      found.is_too_many
          ? CXK_TOO_LARGE
          : cxk_verify(verifier, found.headers, found.count, now_ms, &principal);
  fprintf(stderr, "%s\n", cxk_status_name(status)); /* for the log; the client gets only 401 */
  snprintf(text, sizeof text, "hello, key %llu\n", (unsigned long long)principal.key_id);
  const char *said = status == CXK_OK ? text : refused;
  struct MHD_Response *response = MHD_create_response_from_buffer(
      strlen(said), (void *)(uintptr_t)said, MHD_RESPMEM_MUST_COPY);
  const enum MHD_Result sent = MHD_queue_response(connection, status == CXK_OK ? 200 : 401, response);
  MHD_destroy_response(response);
  return sent;
}

int main(int argc, char **argv) {
  cxk_key key = CXK_KEY_INIT;
  cxk_replay_guard_options options = CXK_REPLAY_GUARD_OPTIONS_INIT;
  cxk_keyring *keyring = NULL;
  cxk_replay_guard *guard = NULL;
  cxk_verifier *verifier = NULL;
  struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (argc != 3 || (key.key = getenv("CORTEXKEY_API_KEY")) == NULL) return 2;
  key.key_id = strtoull(argv[1], NULL, 10);
  key.level = strcmp(argv[2], "advanced") == 0 ? CXK_LEVEL_ADVANCED : CXK_LEVEL_STANDARD;
  key.key_len = strlen(key.key);
  options.entries = 12000;                /* 100 requests a second, twice a minute */
  options.flags = CXK_REPLAY_GUARD_FIRST; /* a server that starts again sets started_ms instead */
  if (cxk_keyring_new(&keyring) || cxk_keyring_put(keyring, &key)) return 2;
  if (cxk_replay_guard_new(&options, &guard)) return 2;
  if (cxk_verifier_new(NULL, keyring, guard, &verifier)) return 2;
  struct MHD_Daemon *daemon =
      MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer, verifier,
                       MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_END);
  if (daemon == NULL) return 2;
  printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port), fflush(stdout);
  while (getchar() != EOF) continue;
  MHD_stop_daemon(daemon);
  cxk_verifier_free(verifier), cxk_replay_guard_free(guard), cxk_keyring_free(keyring);
  return 0;
}
