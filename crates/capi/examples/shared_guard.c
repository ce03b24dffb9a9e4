/* A member of the replay guard that several processes share on Redis 6.2 or later, or Valkey:
 *   shared_guard PORT SCRIPT FILE
 * SCRIPT is replay_guard.lua, whose first lines describe how the guard works. FILE stores this member's
 * state across restarts. The program signs a request, which the guard accepts once and then refuses. A
 * server does the same with the tag of each request.
 *   cc shared_guard.c $(pkg-config --cflags --libs cortexkey hiredis) -o shared_guard */
#include <cortexkey.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SKEW_MS 1000
#define LOOK_COUNTS_MS 2000
#define NOTICE_MS 2500 /* others have looked meanwhile, and know what this member announced */
#define NOTED_MAX 64

/* The state that a member stores in its file, and the state that it needs only while it runs. */
struct member {
  redisContext *server;
  char *script, sha[41], name[17];
  const char *file;
  char generation[24], id[24], widest[24], taken[1024];
  char accepted[24];
  struct { long long at; char taken[1024]; } noted[NOTED_MAX];
  unsigned count;
  char usable[1024];
  long long good_until;
};

static long long ms(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void chance(char text[17]) {
  unsigned char bytes[8];
  FILE *random = fopen("/dev/urandom", "rb");
  if (random == NULL || fread(bytes, sizeof bytes, 1, random) != 1) abort();
  fclose(random);
  for (unsigned i = 0; i < 8; i++) snprintf(text + (size_t)2 * i, 3, "%02x", bytes[i]);
}

static int within(const char *ranges, unsigned long long time) {
  unsigned long long from, to;
  for (; ranges != NULL && sscanf(ranges, "%llu-%llu", &from, &to) == 2;
       ranges = (ranges = strchr(ranges, ',')) ? ranges + 1 : NULL)
    if (from <= time && time <= to) return 1;
  return 0;
}

static int copy(char *to, size_t size, const redisReply *from) {
  return from->type == REDIS_REPLY_STRING && (size_t)snprintf(to, size, "%s", from->str) < size;
}

/* Calls the script. Returns a list of strings, which the caller frees, or NULL. */
static redisReply *call(struct member *m, int count, const char **arg, const size_t *len) {
  const char *all[20] = {"EVALSHA", m->sha, "3", "{cortexkey-replay}:state",
                         "{cortexkey-replay}:used", "{cortexkey-replay}:live"};
  size_t lens[20];
  for (int i = 0; i < count; i++) all[6 + i] = arg[i];
  for (int i = 0; i < 6 + count; i++) lens[i] = i < 6 || len == NULL ? strlen(all[i]) : len[i - 6];
  for (int tried = 0; tried < 2; tried++) {
    redisReply *reply = redisCommandArgv(m->server, 6 + count, all, lens);
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0) return reply;
    if (reply != NULL) freeReplyObject(reply);
    reply = redisCommand(m->server, "SCRIPT LOAD %s", m->script); /* the server may be a new one */
    if (reply != NULL && reply->type == REDIS_REPLY_STRING) copy(m->sha, sizeof m->sha, reply);
    if (reply != NULL) freeReplyObject(reply);
  }
  return NULL;
}

static int save(const struct member *m) {
  char new_file[512];
  if ((size_t)snprintf(new_file, sizeof new_file, "%s.new", m->file) >= sizeof new_file) return 0;
  FILE *file = fopen(new_file, "w");
  if (file == NULL) return 0;
  int good = fprintf(file, "%s %s %s %s\n", m->generation, m->id, m->widest, m->taken) > 0;
  good = fflush(file) == 0 && fsync(fileno(file)) == 0 && good;
  return fclose(file) == 0 && good && rename(new_file, m->file) == 0;
}

/* Checks the server, announces the range that this member may accept, and learns those of the
 * others. */
static int look(struct member *m) {
  const long long began = ms(CLOCK_MONOTONIC);
  char now[24], skew[24], new_id[17], old_id[24];
  redisReply *info = redisCommand(m->server, "INFO memory");
  const int evicts = info == NULL || strstr(info->str, "\nmaxmemory_policy:noeviction\r") == NULL;
  if (info != NULL) freeReplyObject(info);
  m->good_until = 0;
  if (evicts) return 0;
  snprintf(now, sizeof now, "%lld", ms(CLOCK_REALTIME));
  snprintf(skew, sizeof skew, "%d", SKEW_MS);
  chance(new_id);
  const char *arg[] = {"look", m->generation, m->id, m->accepted, m->name,
                       now, skew, m->widest, new_id, m->taken};
  redisReply *reply = call(m, 10, arg, NULL);
  if (reply == NULL) return 0;
  memcpy(old_id, m->id, sizeof old_id);
  int good = reply->elements == 6 && strcmp(reply->element[0]->str, "looked") == 0 &&
             copy(m->generation, sizeof m->generation, reply->element[1]) &&
             copy(m->id, sizeof m->id, reply->element[2]) &&
             copy(m->accepted, sizeof m->accepted, reply->element[3]) &&
             copy(m->widest, sizeof m->widest, reply->element[4]) &&
             copy(m->taken, sizeof m->taken, reply->element[5]) && save(m);
  freeReplyObject(reply);
  if (!good) return 0;
  if (strcmp(old_id, m->id) != 0) m->count = 0, m->usable[0] = '\0';
  if (m->count < NOTED_MAX) {
    m->noted[m->count].at = ms(CLOCK_MONOTONIC);
    memcpy(m->noted[m->count++].taken, m->taken, sizeof m->taken);
  }
  m->good_until = began + LOOK_COUNTS_MS;
  return 1;
}

/* Returns 1 if the request is accepted, 0 if it is refused. */
static int remember(struct member *m, const cxk_principal *principal) {
  const unsigned long long stamp = principal->remember_until_ms - SKEW_MS;
  const long long at = ms(CLOCK_MONOTONIC);
  while (m->count > 0 && m->noted[0].at + NOTICE_MS < at) {
    memcpy(m->usable, m->noted[0].taken, sizeof m->usable);
    memmove(m->noted, m->noted + 1, --m->count * sizeof m->noted[0]);
  }
  if (at >= m->good_until || !within(m->usable, stamp)) return 0;
  char text[24];
  snprintf(text, sizeof text, "%llu", stamp);
  const char *arg[] = {"use", m->generation, m->id, m->accepted, text,
                       (const char *)principal->replay_tag, "0"};
  const size_t len[] = {3, strlen(arg[1]), strlen(arg[2]), strlen(arg[3]), strlen(text),
                        CXK_REPLAY_TAG_SIZE, 1};
  redisReply *reply = call(m, 7, arg, len);
  if (reply == NULL) return 0;
  const int accepted = reply->elements == 2 && strcmp(reply->element[0]->str, "accepted") == 0 &&
                       copy(m->accepted, sizeof m->accepted, reply->element[1]);
  freeReplyObject(reply);
  return accepted;
}

static int verify(cxk_verifier *verifier, cxk_signer *signer, cxk_principal *principal) {
  cxk_header_lines lines;
  cxk_header headers[8];
  if (cxk_signer_header_lines(signer, &lines) != CXK_OK) return 0;
  for (uint32_t i = 0; i < lines.count; i++) {
    const char *colon = strchr(lines.line[i], ':');
    headers[i] = (cxk_header){lines.line[i], (size_t)(colon - lines.line[i]), colon + 2, strlen(colon + 2)};
  }
  return cxk_verify(verifier, headers, lines.count, (uint64_t)ms(CLOCK_REALTIME), principal) == CXK_OK;
}

int main(int argc, char **argv) {
  static struct member m = {.generation = "0", .widest = "0", .accepted = "0"};
  cxk_key key = CXK_KEY_INIT;
  cxk_verifier_options options = CXK_VERIFIER_OPTIONS_INIT;
  cxk_keyring *keyring = NULL;
  cxk_verifier *verifier = NULL;
  cxk_signer *signer = NULL;
  cxk_principal principal;
  const struct timeval patience = {.tv_usec = 500000};
  if (argc != 4) return fprintf(stderr, "usage: shared_guard PORT SCRIPT FILE\n"), 2;
  FILE *script = fopen(argv[2], "rb");
  if (script == NULL || (m.script = calloc(1, 65536)) == NULL) return 2;
  if (fread(m.script, 1, 65535, script) == 0) return 2;
  fclose(script);
  m.file = argv[3];
  FILE *known = fopen(m.file, "r");
  if (known != NULL) {
    if (fscanf(known, "%23s %23s %23s %1023s", m.generation, m.id, m.widest, m.taken) != 4) return 2;
    fclose(known);
  }
  chance(m.name);
  m.server = redisConnectWithTimeout("127.0.0.1", atoi(argv[1]), patience);
  if (m.server == NULL || m.server->err || redisSetTimeout(m.server, patience) != REDIS_OK) return 2;
  key.key_id = 7, key.level = CXK_LEVEL_ADVANCED, key.key = "a-key-of-this-example", key.key_len = 21;
  options.flags = CXK_VERIFIER_OWN_GUARD, options.skew_ms = SKEW_MS;
  if (cxk_keyring_new(&keyring) || cxk_keyring_put(keyring, &key)) return 2;
  if (cxk_verifier_new(&options, keyring, NULL, &verifier)) return 2;
  if (cxk_signer_new(key.key_id, key.level, key.key, key.key_len, &signer)) return 2;
  int accepted = 0, again = 0;
  for (int tries = 0; tries < 80 && !accepted; tries++) { /* a guard that has just begun refuses */
    if (tries % 2 == 0) look(&m);
    accepted = verify(verifier, signer, &principal) && remember(&m, &principal);
    if (!accepted) usleep(250000);
  }
  for (int tries = 0; tries < 5; tries++) again += look(&m) && remember(&m, &principal);
  printf("accepted %d, again %d\n", accepted, again);
  cxk_signer_free(signer), cxk_verifier_free(verifier), cxk_keyring_free(keyring);
  redisFree(m.server), free(m.script);
  return accepted == 1 && again == 0 ? 0 : 1;
}
