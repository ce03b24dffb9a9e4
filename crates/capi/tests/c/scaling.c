/*
 * Measures what a second thread adds to verification. Prints lines with tabs: the name, nanoseconds
 * per operation with one thread, the same for each of two threads, and the rate of the two as a
 * multiple of the rate of one. They are medians of many turns, which alternate between one thread and
 * two, each thread on a processor of its own.
 *
 * A turn with an involuntary context switch does not count, since something else used the processor.
 * Waiting for a lock is a voluntary switch, so such a turn counts.
 */
#include <sched.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

#include "check.h"

enum { TURNS = 61, TRIES = 145, BATCH = 64, REQUESTS = 2048, ENTRIES = 1000000 };

/* As many requests as the guard is configured for: all its entries within twice the skew of 300 s. */
static const uint64_t WINDOW_MS = 600000;

/*
 * The timestamps of new requests: at the rate that the guard is configured for; the same, but one
 * timestamp for all requests of a turn; or 4,096 per millisecond, until the guard is nearly full.
 */
enum timing { STEADY, BURST, FLOOD };

/* One thread's requests, all new in each turn. */
struct work {
  const cxk_verifier *verifier;
  int in_batches;
  cxk_headers signed_ones[REQUESTS];
  cxk_header headers[REQUESTS][4];
  cxk_request requests[REQUESTS];
  cxk_principal principals[BATCH];
  cxk_status statuses[BATCH];
  uint64_t now_ms;
  double began, ended;
  long interrupted;
};

static cxk_signer *signer;
static struct work works[2];
static uint64_t number;
static size_t processors[2];
static int running, ready;

static double now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static long interruptions(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_THREAD, &usage) != 0) abort();
  return usage.ru_nivcsw;
}

static uint64_t time_of(uint64_t at, enum timing timing) {
  return TIME_MS + (timing == FLOOD ? at / 4096 : at * WINDOW_MS / ENTRIES);
}

static void sign(cxk_headers *headers, uint64_t ms) {
  char nonce[CXK_NONCE_SIZE];
  if (cxk_nonce(nonce, sizeof nonce) != CXK_OK) abort();
  if (cxk_signer_headers_at(signer, nonce, 64, ms, headers) != CXK_OK) abort();
}

/* The threads' requests alternate in time, as those of one service do. */
static void renew(int threads, enum timing timing) {
  const uint64_t first = number, all = (uint64_t)threads * REQUESTS;
  size_t i;
  number += all;
  for (i = 0; i < all; i++) {
    struct work *work = &works[i % (size_t)threads];
    const size_t at = i / (size_t)threads;
    sign(&work->signed_ones[at], time_of(timing == BURST ? first : first + i, timing));
    work->requests[at].headers = work->headers[at];
    work->requests[at].count = as_request(&work->signed_ones[at], work->headers[at]);
    work->now_ms = time_of(number, timing);
  }
}

/* The state of a guard after a service has run for a while. */
static void fill(const cxk_verifier *verifier) {
  static cxk_headers headers;
  cxk_header request[4];
  cxk_principal principal;
  int i;
  for (i = 0; i < ENTRIES; i++, number++) {
    sign(&headers, time_of(number, STEADY));
    if (cxk_verify(verifier, request, as_request(&headers, request),
                   time_of(number, STEADY), &principal) != CXK_OK) {
      abort();
    }
  }
}

static void *verify(void *of) {
  struct work *const work = of;
  cpu_set_t own;
  size_t i;
  CPU_ZERO(&own);
  CPU_SET(processors[work - works], &own);
  if (pthread_setaffinity_np(pthread_self(), sizeof own, &own) != 0) abort();
  /* Spins instead of sleeping, so that all threads start at the same time. */
  __atomic_add_fetch(&ready, 1, __ATOMIC_ACQ_REL);
  while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) < running) continue;
  work->interrupted = interruptions();
  work->began = now_ns();
  for (i = 0; i < REQUESTS; i += work->in_batches ? BATCH : 1) {
    const cxk_request *request = &work->requests[i];
    const cxk_status status =
        work->in_batches ? cxk_verify_batch(work->verifier, request, BATCH, work->now_ms,
                                            work->statuses, work->principals)
                         : cxk_verify(work->verifier, request->headers, 4, work->now_ms,
                                      work->principals);
    if (status != CXK_OK) abort();
  }
  work->ended = now_ns();
  work->interrupted = interruptions() - work->interrupted;
  return NULL;
}

/* One turn with this many threads: nanoseconds per operation of each; 0 if the turn does not count. */
static double turn(int threads, enum timing timing) {
  pthread_t thread[2];
  double began, ended;
  int i, interrupted = 0;
  running = threads;
  ready = 0;
  renew(threads, timing);
  for (i = 0; i < threads; i++) {
    if (pthread_create(&thread[i], NULL, verify, &works[i]) != 0) abort();
  }
  for (i = 0; i < threads; i++) {
    if (pthread_join(thread[i], NULL) != 0) abort();
    interrupted |= works[i].interrupted != 0;
  }
  began = works[0].began;
  ended = works[0].ended;
  for (i = 1; i < threads; i++) {
    if (works[i].began < began) began = works[i].began;
    if (works[i].ended > ended) ended = works[i].ended;
  }
  return interrupted ? 0 : (ended - began) / REQUESTS;
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double figures[TURNS]) {
  qsort(figures, TURNS, sizeof figures[0], by_size);
  return figures[TURNS / 2];
}

static void measure(const char *name, const cxk_verifier *verifier, int in_batches,
                    enum timing timing) {
  double one[TURNS], two[TURNS], ratio[TURNS];
  int counted = 0, tries;
  works[0].verifier = works[1].verifier = verifier;
  works[0].in_batches = works[1].in_batches = in_batches;
  for (tries = 0; tries < TRIES && counted < TURNS; tries++) {
    one[counted] = turn(1, timing);
    two[counted] = turn(2, timing);
    if (one[counted] == 0 || two[counted] == 0) continue;
    /* Successive turns, which a slow moment affects equally. */
    ratio[counted] = 2 * one[counted] / two[counted];
    counted++;
  }
  if (counted < TURNS) {
    printf("%s: the machine is too busy to measure: %d of %d turns were undisturbed\n", name,
           counted, tries);
    exit(1);
  }
  printf("%s\t%.1f\t%.1f\t%.2f\n", name, median(one), median(two), median(ratio));
}

static void choose_processors(void) {
  cpu_set_t all;
  size_t processor;
  int count = 0;
  if (sched_getaffinity(0, sizeof all, &all) != 0) abort();
  for (processor = 0; processor < CPU_SETSIZE && count < 2; processor++) {
    if (CPU_ISSET(processor, &all)) processors[count++] = processor;
  }
  if (count < 2) {
    printf("two threads need two processors\n");
    exit(1);
  }
}

int main(void) {
  enum { GUARDS = 4 };
  static char key[129];
  cxk_keyring *keyring = new_keyring();
  cxk_replay_guard *guards[GUARDS];
  cxk_verifier *own, *of[GUARDS];
  int i;
  choose_processors();
  memset(key, 'k', 128);
  CHECK(cxk_signer_new(7, CXK_LEVEL_ADVANCED, key, 128, &signer) == CXK_OK);
  CHECK(put_key(keyring, 7, CXK_LEVEL_ADVANCED, key, CXK_NEVER, 0) == CXK_OK);
  own = new_verifier(0, keyring, NULL);
  for (i = 0; i < GUARDS; i++) {
    guards[i] = new_guard(ENTRIES);
    of[i] = new_verifier(0, keyring, guards[i]);
  }
  measure("verify one, guard of one's own", own, 0, STEADY);
  measure("verify 64, each, guard of one's own", own, 1, STEADY);
  fill(of[0]);
  measure("verify one, guard of 1,000,000", of[0], 0, STEADY);
  fill(of[1]);
  measure("verify 64, each, guard of 1,000,000", of[1], 1, STEADY);
  fill(of[2]);
  measure("verify one, guard of 1,000,000, a burst of one instant", of[2], 0, BURST);
  measure("verify one, guard of 1,000,000, a flood that fills it", of[3], 0, FLOOD);
  for (i = 0; i < GUARDS; i++) {
    cxk_verifier_free(of[i]);
    cxk_replay_guard_free(guards[i]);
  }
  cxk_verifier_free(own);
  cxk_keyring_free(keyring);
  cxk_signer_free(signer);
  return mistakes;
}
