/*
 * 64 threads share a signer, a verifier and a guard, while another thread changes the keys. The same
 * request is accepted only once; a request of a key that is added and removed is accepted, or its key
 * is unknown; every signature is valid.
 */
#include <pthread.h>

#include "check.h"

enum { THREADS = 64, ROUNDS = 200 };

static cxk_signer *signer;
static cxk_keyring *keyring;
static cxk_verifier *verifier, *own_guard;
static cxk_definitions *definitions;
static cxk_headers same[ROUNDS], coming;
static int accepted[THREADS][ROUNDS];
static int faults[THREADS + 1]; /* the last are those of the thread that changes keys */
static int stop;

/* PLANTED_RACE adds a race that ThreadSanitizer must report, which proves that it would find others. */
#ifdef PLANTED_RACE
#define LOAD(place) (place)
#define STORE(place, value) ((place) = (value))
#else
#define LOAD(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#define STORE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)
#endif

static void *work(void *argument) {
  const size_t me = (size_t)(uintptr_t)argument;
  cxk_header request[4];
  cxk_principal principal;
  cxk_signature batch[20];
  cxk_headers again;
  cxk_question question = CXK_QUESTION_INIT;
  cxk_decision decision;
  int i;
  question.kind = CXK_ASK_ACTION;
  question.name = "Isolate";
  for (i = 0; i < ROUNDS; i++) {
    size_t count = as_request(&same[i], request);
    cxk_status status = cxk_verify(verifier, request, count, TIME_MS, &principal);
    accepted[me][i] = status == CXK_OK;
    faults[me] += status != CXK_OK && status != CXK_VERDICT_REPLAYED;
    count = as_request(&coming, request);
    status = cxk_verify(own_guard, request, count, TIME_MS, &principal);
    faults[me] += status != CXK_OK && status != CXK_VERDICT_UNKNOWN_KEY;
    faults[me] += cxk_signer_sign_batch(signer, batch, 20) != CXK_OK;
    faults[me] += cxk_signer_headers_at(signer, batch[7].nonce, 64,
                                        strtoull(batch[7].timestamp, NULL, 10), &again) != CXK_OK;
    faults[me] += strcmp(again.authorization, batch[7].authorization) != 0;
    faults[me] += cxk_decide(definitions, 0, &question, &decision, NULL, 0) != CXK_OK;
  }
  return NULL;
}

static void *change(void *unused) {
  while (!LOAD(stop)) {
    faults[THREADS] += put_key(keyring, 8, CXK_LEVEL_ADVANCED, KEY, CXK_NEVER, 0) != CXK_OK;
    faults[THREADS] += cxk_keyring_remove(keyring, 8) != CXK_OK;
  }
  return unused;
}

int main(int argc, char **argv) {
  pthread_t threads[THREADS], changer;
  cxk_replay_guard *guard = new_guard(50 * ROUNDS); /* all are of one moment */
  cxk_signer *eighth = NULL;
  size_t i, j;
  if (argc != 2) return 2;
  signer = new_signer(CXK_LEVEL_ADVANCED);
  keyring = new_keyring();
  verifier = new_verifier(0, keyring, guard);
  own_guard = new_verifier(0, keyring, NULL);
  definitions = load(argv[1], "after.ckc");
  CHECK(put_key(keyring, 7, CXK_LEVEL_ADVANCED, KEY, CXK_NEVER, 0) == CXK_OK);
  for (i = 0; i < ROUNDS; i++) {
    char nonce[CXK_NONCE_SIZE];
    CHECK(cxk_nonce(nonce, sizeof nonce) == CXK_OK);
    CHECK(cxk_signer_headers_at(signer, nonce, 64, TIME_MS, &same[i]) == CXK_OK);
  }
  CHECK(cxk_signer_new(8, CXK_LEVEL_ADVANCED, KEY, strlen(KEY), &eighth) == CXK_OK);
  CHECK(cxk_signer_headers_at(eighth, NONCE, 64, TIME_MS, &coming) == CXK_OK);
  CHECK(pthread_create(&changer, NULL, change, NULL) == 0);
  for (i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) == 0);
  }
  for (i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  STORE(stop, 1);
  pthread_join(changer, NULL);
  for (i = 0; i <= THREADS; i++) CHECK(faults[i] == 0);
  for (j = 0; j < ROUNDS; j++) {
    int times = 0;
    for (i = 0; i < THREADS; i++) times += accepted[i][j];
    CHECK(times == 1);
  }
  cxk_signer_free(signer);
  cxk_signer_free(eighth);
  cxk_verifier_free(verifier);
  cxk_verifier_free(own_guard);
  cxk_replay_guard_free(guard);
  cxk_keyring_free(keyring);
  cxk_definitions_free(definitions);
  printf("%d mistakes\n", mistakes);
  return mistakes == 0 ? 0 : 1;
}
