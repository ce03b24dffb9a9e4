/*
 * Calls every function that creates a handle, and the one that stores a key, while memory runs out: at
 * once, after one allocation, after two, and so on until the call succeeds. Without any memory, the
 * result is CXK_NO_MEMORY; if memory runs out in between, it is that or the abort that the header
 * describes. Link with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=posix_memalign.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* The number of allocations that still succeed; below zero, there is no limit. */
static int left = -1;

static int has_one(void) {
  if (left > 0) left--;
  return left != 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
int __real_posix_memalign(void **out, size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
int __wrap_posix_memalign(void **out, size_t alignment, size_t size);

void *__wrap_malloc(size_t size) { return has_one() ? __real_malloc(size) : NULL; }
void *__wrap_calloc(size_t count, size_t size) {
  return has_one() ? __real_calloc(count, size) : NULL;
}
void *__wrap_realloc(void *memory, size_t size) {
  return has_one() ? __real_realloc(memory, size) : NULL;
}
int __wrap_posix_memalign(void **out, size_t alignment, size_t size) {
  return has_one() ? __real_posix_memalign(out, alignment, size) : 12;
}

static cxk_keyring *keyring;
static cxk_replay_guard *guard;
static char bytes[1 << 16];
static size_t bytes_len;
static void *made = &made;

static cxk_status make_signer(void) {
  return cxk_signer_new(7, CXK_LEVEL_ADVANCED, KEY, strlen(KEY), (cxk_signer **)&made);
}
static cxk_status make_keyring(void) { return cxk_keyring_new((cxk_keyring **)&made); }
static cxk_status make_key(void) {
  made = NULL; /* it makes none */
  return put_key(keyring, 9, CXK_LEVEL_ADVANCED, KEY, CXK_NEVER, 0);
}
static cxk_status make_guard(void) {
  cxk_replay_guard_options options = CXK_REPLAY_GUARD_OPTIONS_INIT;
  options.entries = 1000;
  options.flags = CXK_REPLAY_GUARD_FIRST;
  return cxk_replay_guard_new(&options, (cxk_replay_guard **)&made);
}
static cxk_status make_verifier(void) {
  return cxk_verifier_new(NULL, keyring, guard, (cxk_verifier **)&made);
}
static cxk_status make_definitions(void) {
  return cxk_definitions_load(bytes, bytes_len, (cxk_definitions **)&made);
}

/* Runs in a process of its own: 0 for success, 1 for CXK_NO_MEMORY, 2 for anything else. */
static int outcome(cxk_status (*make)(void), int allocations) {
  int status;
  const pid_t child = fork();
  if (child == 0) {
    cxk_status answer;
    left = allocations == 0 ? 0 : allocations + 1;
    if (freopen("/dev/null", "w", stderr) == NULL) _exit(2);
    answer = make();
    left = -1;
    if (answer == CXK_OK) _exit(0);
    _exit(answer == CXK_NO_MEMORY && made == NULL ? 1 : 2);
  }
  if (child < 0 || waitpid(child, &status, 0) != child) return 2;
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGABRT && allocations > 0 ? 1 : 2;
  return WEXITSTATUS(status);
}

int main(int argc, char **argv) {
  cxk_status (*const makers[])(void) = {make_signer, make_keyring,  make_key,
                                        make_guard,  make_verifier, make_definitions};
  char path[4096];
  size_t i;
  FILE *file;
  if (argc != 2) return 2;
  snprintf(path, sizeof path, "%s/after.ckc", argv[1]);
  file = fopen(path, "rb");
  if (file == NULL) return 2;
  bytes_len = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  keyring = new_keyring();
  guard = new_guard(10);
  for (i = 0; i < sizeof makers / sizeof *makers; i++) {
    int allocations = 0, answer = outcome(makers[i], 0);
    CHECK(answer == 1);
    while (answer == 1) answer = outcome(makers[i], ++allocations);
    CHECK(answer == 0);
  }
  printf("%d mistakes\n", mistakes);
  return mistakes == 0 ? 0 : 1;
}
