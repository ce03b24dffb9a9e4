/**
 * @file cortexkey.h
 * Signs and verifies requests to Palo Alto Networks Cortex APIs, with Standard and Advanced API
 * keys, and says what a key may do.
 *
 * A program that signs and sends one request with libcurl:
 *
 * ```c
 * #include <cortexkey.h>
 * #include <curl/curl.h>
 * #include <stdlib.h>
 * #include <string.h>
 * int main(void) {
 *   const char *key = getenv("CORTEXKEY_API_KEY"), *url = getenv("CORTEXKEY_API_URL");
 *   struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
 *   cxk_header_lines lines; cxk_signer *signer; CURL *curl = curl_easy_init();
 *   if (!key || cxk_signer_new(7, CXK_LEVEL_ADVANCED, key, strlen(key), &signer)) return 2;
 *   if (cxk_signer_header_lines(signer, &lines)) return 2;
 *   for (uint32_t i = 0; i < lines.count; i++) list = curl_slist_append(list, lines.line[i]);
 *   cxk_signer_free(signer), cxk_wipe(&lines, sizeof lines);
 *   curl_easy_setopt(curl, CURLOPT_URL, url), curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "{}");
 *   return curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list) || curl_easy_perform(curl);
 * }
 * ```
 *
 * Link with `pkg-config --libs cortexkey`.
 *
 * - Language: C99 and later, C++11 and later; cortexkey.hpp needs C++17.
 * - Status: every call that can fail returns `CXK_OK` (0) or a number below zero, and has then
 *   set its outputs to zeros, but where zeros could be taken for an answer: then a status is that of
 *   the call, and a place or count is `CXK_NOWHERE`. `cxk_status_name()` and `cxk_status_message()` put it into words.
 * - Memory: the only memory that the library hands out is a handle, given back to the `_free` of
 *   its type. Answers go to fixed-size structures of the caller's. Where there is no memory for a
 *   handle the status is `CXK_NO_MEMORY`; where what was there a moment before is gone, and where
 *   a decision finds none, the process is aborted, as Rust does.
 * - Threads: any number of threads may use a handle at once, also one that a function changes. Only
 *   `_free` needs the handle for itself. There is nothing to initialise, and no last error per
 *   thread.
 * - Forks: signers, keyrings, definitions, and verifiers with `CXK_VERIFIER_OWN_GUARD`, work in a
 *   forked child, and no nonce is drawn twice. Fork while no other thread changes a keyring. A
 *   replay guard does not go through a fork, since the parent and each child would accept the same
 *   request: in the child it answers `replay-guard-unavailable`. A server that forks its workers
 *   verifies in one process, or makes verifiers with `CXK_VERIFIER_OWN_GUARD` and asks a store that
 *   all workers share. A worker that alone gets all requests of its keys makes a guard after the fork.
 * - Unloading: `dlclose()` is safe once all handles are freed and no thread is in a call.
 * - NULL: only what is marked `CXK_NULLABLE` may be NULL; elsewhere the answer is `CXK_NULL_ARG`.
 * - Alignment: an output that is not aligned for its type is refused (`CXK_BAD_ARG`).
 * - Handles: a pointer to a handle of another type is seen and refused (`CXK_WRONG_HANDLE`). A
 *   handle used after its end is a mistake that cannot always be seen.
 * - Structures that a caller fills begin with an `_INIT` macro, which states their size. A library
 *   of a later release takes them as they are.
 * - Times are milliseconds since 1970. Where `now_ms` is an argument, the library reads no clock.
 * - Secrets: a signer, a keyring, and the headers of a Standard key, can sign. They are wiped by
 *   `_free` and `cxk_wipe()`; they are not locked into memory nor kept out of core dumps.
 */

#ifndef CORTEXKEY_H
#define CORTEXKEY_H


/* Made by `cargo xtask header`; changes here are overwritten. */

#include <stddef.h>
#include <stdint.h>

/** Marks what the library exports. */
#if defined(_WIN32) && defined(CXK_DLL)
#define CXK_API __declspec(dllimport)
#elif defined(__GNUC__)
#define CXK_API __attribute__((__visibility__("default")))
#else
#define CXK_API
#endif

/** The answer must be looked at. */
#if defined(__GNUC__)
#define CXK_MUST_USE __attribute__((__warn_unused_result__))
#elif defined(_MSC_VER)
#define CXK_MUST_USE _Check_return_
#else
#define CXK_MUST_USE
#endif

/** Pointers that must not, and that may, be NULL. */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#define CXK_NONNULL _Nonnull
#define CXK_NULLABLE _Nullable
#else
#define CXK_NONNULL
#define CXK_NULLABLE
#endif

/**
 * The release of this header.
 */
#define CXK_VERSION "0.1.0"

/**
 * Its first number.
 */
#define CXK_VERSION_MAJOR 0

/**
 * Its second number.
 */
#define CXK_VERSION_MINOR 1

/**
 * Its third number.
 */
#define CXK_VERSION_PATCH 0

/**
 * The name of the header with the key id.
 */
#define CXK_HEADER_KEY_ID "x-xdr-auth-id"

/**
 * The name of the header with the key (Standard) or digest (Advanced).
 */
#define CXK_HEADER_AUTHORIZATION "Authorization"

/**
 * The name of the header with the nonce of an Advanced request.
 */
#define CXK_HEADER_NONCE "x-xdr-nonce"

/**
 * The name of the header with the time of an Advanced request.
 */
#define CXK_HEADER_TIMESTAMP "x-xdr-timestamp"

/**
 * A verifier refuses: an authentication header came more than once.
 */
#define CXK_VERDICT_DUPLICATE_HEADER (-101)

/**
 * A verifier refuses: an authentication header is missing.
 */
#define CXK_VERDICT_MISSING_HEADER (-102)

/**
 * A verifier refuses: x-xdr-auth-id is not a key id.
 */
#define CXK_VERDICT_BAD_KEY_ID (-103)

/**
 * A verifier refuses: x-xdr-nonce is not 64 letters and digits.
 */
#define CXK_VERDICT_BAD_NONCE (-104)

/**
 * A verifier refuses: x-xdr-timestamp is not 13 digits.
 */
#define CXK_VERDICT_BAD_TIMESTAMP (-105)

/**
 * A verifier refuses: Authorization has not the form of a digest or a key.
 */
#define CXK_VERDICT_BAD_AUTHORIZATION (-106)

/**
 * A verifier refuses: no key has this id.
 */
#define CXK_VERDICT_UNKNOWN_KEY (-107)

/**
 * A verifier refuses: the request is not signed as the key's security level demands.
 */
#define CXK_VERDICT_LEVEL_MISMATCH (-108)

/**
 * A verifier refuses: the digest or key does not fit.
 */
#define CXK_VERDICT_WRONG_SIGNATURE (-109)

/**
 * A verifier refuses: the key is revoked.
 */
#define CXK_VERDICT_KEY_REVOKED (-110)

/**
 * A verifier refuses: the key has expired.
 */
#define CXK_VERDICT_KEY_EXPIRED (-111)

/**
 * A verifier refuses: the timestamp is too old.
 */
#define CXK_VERDICT_TIMESTAMP_STALE (-112)

/**
 * A verifier refuses: the timestamp is in the future.
 */
#define CXK_VERDICT_TIMESTAMP_FUTURE (-113)

/**
 * A verifier refuses: the request was accepted before.
 */
#define CXK_VERDICT_REPLAYED (-114)

/**
 * A verifier refuses: the verifier has just started and cannot tell whether the request was accepted before.
 */
#define CXK_VERDICT_REPLAY_GUARD_STARTING (-115)

/**
 * A verifier refuses: the replay guard has no room for another request.
 */
#define CXK_VERDICT_REPLAY_GUARD_FULL (-116)

/**
 * A verifier refuses: the key has reached its quota of the replay guard.
 */
#define CXK_VERDICT_REPLAY_GUARD_QUOTA (-118)

/**
 * A verifier refuses: the replay guard cannot answer.
 */
#define CXK_VERDICT_REPLAY_GUARD_UNAVAILABLE (-117)


/**
 * The number of the binary interface. It grows when a program built with an older header would
 * misbehave, and will be the number in the name of the installed shared library.
 */
#define CXK_ABI_VERSION 0

/**
 * Bytes for a key id: 20 digits and NUL.
 */
#define CXK_KEY_ID_SIZE 21

/**
 * Bytes for `Authorization`: a key of 256 bytes and NUL.
 */
#define CXK_AUTHORIZATION_SIZE 257

/**
 * Bytes for the digest of an Advanced key: 64 hexadecimal digits and NUL.
 */
#define CXK_DIGEST_SIZE 65

/**
 * Bytes for a nonce: 64 characters and NUL.
 */
#define CXK_NONCE_SIZE 65

/**
 * Bytes for a time: 13 digits and NUL.
 */
#define CXK_TIMESTAMP_SIZE 14

/**
 * The most headers that a request needs.
 */
#define CXK_HEADER_LINES_MAX 4

/**
 * Bytes for a line: "Authorization: ", a key of 256 bytes and NUL.
 */
#define CXK_HEADER_LINE_SIZE 272

/**
 * The most signatures of one batch.
 */
#define CXK_BATCH_MAX 65536

/**
 * The `expires_ms` of a key that never expires.
 */
#define CXK_NEVER UINT64_MAX

/**
 * The key was revoked: its requests are refused as such.
 */
#define CXK_KEY_REVOKED 1

/**
 * The most entries of a guard.
 */
#define CXK_REPLAY_GUARD_ENTRIES_MAX 100000000

/**
 * The most keys that a guard counts for.
 */
#define CXK_REPLAY_GUARD_KEYS_MAX 1000000

/**
 * Nothing can have been accepted before: the first guard ever of these keys, or a test.
 */
#define CXK_REPLAY_GUARD_FIRST 1

/**
 * The caller has a replay guard of its own, which it asks about the `replay_tag` of every
 * principal with one before it does anything for the request.
 */
#define CXK_VERIFIER_OWN_GUARD 1

/**
 * Takes nonces of 16 to 128 letters and digits; without it, of exactly 64.
 */
#define CXK_VERIFIER_LENIENT_NONCES 2

/**
 * The most headers of one request.
 */
#define CXK_HEADERS_MAX 4096

/**
 * Bytes of a tag for a replay guard of the caller's own.
 */
#define CXK_REPLAY_TAG_SIZE 16

/**
 * Bytes for the name of a key or of a tenant, and NUL.
 */
#define CXK_NAME_SIZE 256

/**
 * The longest text that a caller asks with, in bytes.
 */
#define CXK_TEXT_MAX 4096

/**
 * Bytes that are enough for a line on any decision but one about very long or very many names,
 * which is then cut.
 */
#define CXK_LINE_SIZE 16384



/**
 * The most entries of each list of a question.
 */
#define CXK_LIST_MAX 4096

/**
 * Key definitions that `cortexkey compile` wrote. They never change, so any number of threads may
 * ask them at once.
 */
typedef struct cxk_definitions cxk_definitions;

/**
 * The keys that verifiers know, by id. Any number of threads may change it at once, while others
 * verify; they see a change at once. Verifiers read it without a lock.
 *
 * It keeps a SHA-256 of a Standard key, from which a short key that a person made up can be
 * guessed; and of an Advanced key what can sign. All is wiped in `cxk_keyring_free()`.
 */
typedef struct cxk_keyring cxk_keyring;

/**
 * Remembers which requests were accepted, within one process. It takes all its memory when it is
 * made, at most 20 bytes an entry from 40,000 entries on; when it is full it refuses, and it
 * drops nothing that could still be replayed. An insert takes constant time.
 *
 * Capacity: any mix of timestamps is accepted up to `entries`, also a burst within one millisecond.
 * For 1,000 requests a second and a skew of 60 seconds set `entries` to 1,000 * (2 * 60) = 120,000,
 * which takes 2.4 MB: 60,000 are remembered where the clients' clocks agree, and 120,000 where each
 * is ahead by the skew.
 *
 * Quota: with `uses_per_key` 60,000 one key has half of those entries at most. What it sends beyond
 * is refused as `replay-guard-quota`, and the other half is left for all other keys, whatever
 * timestamps the key chooses. Where several keys flood, each of 100 `keys` is still sure of
 * `entries` / 8 / `keys` = 150.
 *
 * A guard in another process does not know what this one accepted: then use a guard of your own
 * with `CXK_VERIFIER_OWN_GUARD`.
 */
typedef struct cxk_replay_guard cxk_replay_guard;

/**
 * Signs requests with one key. It keeps what can sign, and wipes it in `cxk_signer_free()`.
 *
 * It never changes, so any number of threads may sign with it at once. To change a key, make a
 * new signer and free the old one when nobody uses it any more.
 */
typedef struct cxk_signer cxk_signer;

/**
 * Verifies requests against the keys of a keyring, and asks a replay guard last. It never
 * changes, so any number of threads may verify with it at once.
 */
typedef struct cxk_verifier cxk_verifier;

/**
 * What a call answers: `CXK_OK`, or a number below zero.
 *
 * -1 to -99: wrong use, or the environment failed. -101 to -199: a verifier refused a request
 * (`CXK_VERDICT_...`). -201 to -299: a decision that is no yes (`CXK_DECISION_...`). -900: a
 * fault in the library. A number keeps its meaning for good.
 */
typedef int32_t cxk_status;

/**
 * The Security Level that a key was generated with. The length of a key does not tell it.
 */
typedef uint32_t cxk_level;

/**
 * The header values of one request, each ended by NUL; all zeros when a call fails.
 *
 * With a Standard key `authorization` is the key itself, and `nonce` and `timestamp` are empty:
 * such headers are not sent. Clear it with `cxk_wipe()` when it has been used.
 */
typedef struct cxk_headers {
  /**
   * `x-xdr-auth-id`
   */
  char key_id[CXK_KEY_ID_SIZE];
  /**
   * `Authorization`
   */
  char authorization[CXK_AUTHORIZATION_SIZE];
  /**
   * `x-xdr-nonce`
   */
  char nonce[CXK_NONCE_SIZE];
  /**
   * `x-xdr-timestamp`
   */
  char timestamp[CXK_TIMESTAMP_SIZE];
} cxk_headers;

/**
 * The headers of one request as lines `Name: value` without a line end, as libcurl's
 * `curl_slist_append()` takes them; all zeros when a call fails.
 *
 * Clear it with `cxk_wipe()` when it has been used.
 */
typedef struct cxk_header_lines {
  /**
   * How many lines there are: 2 with a Standard key, 4 with an Advanced one.
   */
  uint32_t count;
  /**
   * The lines; those from `count` on are empty.
   */
  char line[CXK_HEADER_LINES_MAX][CXK_HEADER_LINE_SIZE];
} cxk_header_lines;

/**
 * What an Advanced key signs one request with, each value ended by NUL; all zeros when a call
 * fails. The key id, which is the same for all, is not in it.
 */
typedef struct cxk_signature {
  /**
   * `Authorization`
   */
  char authorization[CXK_DIGEST_SIZE];
  /**
   * `x-xdr-nonce`
   */
  char nonce[CXK_NONCE_SIZE];
  /**
   * `x-xdr-timestamp`
   */
  char timestamp[CXK_TIMESTAMP_SIZE];
} cxk_signature;

/**
 * How a key stands: one of the `CXK_EXPIRY_...`; 0 is none of them.
 */
typedef uint32_t cxk_expiry_state;

/**
 * How a key stands at a time. Times are milliseconds since 1970.
 */
typedef struct cxk_expiry {
  /**
   * When it expires; `CXK_NEVER` where it does not.
   */
  uint64_t expires_ms;
  /**
   * When the notice of one week before is due; `CXK_NEVER` where none is.
   */
  uint64_t week_notice_due_ms;
  /**
   * When the notice of one day before is due; `CXK_NEVER` where none is.
   */
  uint64_t day_notice_due_ms;
  /**
   * How it stands.
   */
  cxk_expiry_state state;
  /**
   * Always 0.
   */
  uint32_t reserved;
} cxk_expiry;

/**
 * A key to put into a keyring. Begin with `cxk_key key = CXK_KEY_INIT;`.
 */
typedef struct cxk_key {
  /**
   * `sizeof(cxk_key)`
   */
  uint32_t struct_size;
  /**
   * Its security level.
   */
  cxk_level level;
  /**
   * Its id, above 0.
   */
  uint64_t key_id;
  /**
   * The key: 1 to 256 bytes of visible ASCII. NUL need not follow.
   */
  const char *CXK_NULLABLE key;
  /**
   * How many bytes the key has.
   */
  size_t key_len;
  /**
   * When it expires, in milliseconds since 1970; `CXK_NEVER` where it does not.
   */
  uint64_t expires_ms;
  /**
   * When it was made, in milliseconds since 1970, for keys that are made in the life of the
   * replay guard, which need not wait for it to start; else 0.
   */
  uint64_t created_ms;
  /**
   * 0 or `CXK_KEY_REVOKED`.
   */
  uint32_t flags;
  /**
   * Always 0.
   */
  uint32_t reserved;
} cxk_key;

/**
 * How a replay guard is made. Begin with
 * `cxk_replay_guard_options options = CXK_REPLAY_GUARD_OPTIONS_INIT;`.
 */
typedef struct cxk_replay_guard_options {
  /**
   * `sizeof(cxk_replay_guard_options)`
   */
  uint32_t struct_size;
  /**
   * 0 or `CXK_REPLAY_GUARD_FIRST`.
   */
  uint32_t flags;
  /**
   * How many requests it can remember, whatever their timestamps, 1 to
   * `CXK_REPLAY_GUARD_ENTRIES_MAX`: requests a second times twice the skew in seconds.
   */
  uint64_t entries;
  /**
   * The largest skew of the verifiers that ask it, in milliseconds, 1,000 to 300,000; 0 is
   * 60,000.
   */
  uint64_t skew_ms;
  /**
   * The time now, in milliseconds since 1970. Requests that may have been accepted before the
   * guard was made are refused as `replay-guard-starting` for as long as the skew. 0 only
   * with `CXK_REPLAY_GUARD_FIRST`.
   */
  uint64_t started_ms;
  /**
   * How many requests of one key it may hold, so that one key cannot fill it; more are refused
   * as `replay-guard-quota`. 0 is no limit.
   */
  uint32_t uses_per_key;
  /**
   * Always 0.
   */
  uint32_t reserved;
  /**
   * With `uses_per_key`: how many keys can have requests in it, 1 to
   * `CXK_REPLAY_GUARD_KEYS_MAX`; 110 bytes each. Else 0.
   */
  uint64_t keys;
} cxk_replay_guard_options;

/**
 * How a verifier is made. Begin with
 * `cxk_verifier_options options = CXK_VERIFIER_OPTIONS_INIT;`.
 */
typedef struct cxk_verifier_options {
  /**
   * `sizeof(cxk_verifier_options)`
   */
  uint32_t struct_size;
  /**
   * 0, or `CXK_VERIFIER_OWN_GUARD` and `CXK_VERIFIER_LENIENT_NONCES`.
   */
  uint32_t flags;
  /**
   * How far a timestamp may be off, either way, in milliseconds, 1,000 to 300,000; 0 is
   * 60,000.
   */
  uint64_t skew_ms;
} cxk_verifier_options;

/**
 * A header of a request: a name in any case, and a value as it came, without the white space
 * round it, which HTTP says to strip. Neither needs NUL behind it. A header that came several
 * times is given as often.
 */
typedef struct cxk_header {
  /**
   * The name. It may be NULL where `name_len` is 0.
   */
  const char *CXK_NULLABLE name;
  /**
   * How many bytes the name has.
   */
  size_t name_len;
  /**
   * The value. It may be NULL where `value_len` is 0.
   */
  const char *CXK_NULLABLE value;
  /**
   * How many bytes the value has.
   */
  size_t value_len;
} cxk_header;

/**
 * Who sent a request; all zeros, and so key id 0, which is nobody's, unless it was accepted.
 */
typedef struct cxk_principal {
  /**
   * The id of the key.
   */
  uint64_t key_id;
  /**
   * When the key expires, in milliseconds since 1970; `CXK_NEVER` where it does not.
   */
  uint64_t expires_ms;
  /**
   * When the client says it signed, in milliseconds since 1970; 0 with a Standard key.
   */
  uint64_t signed_ms;
  /**
   * With `CXK_VERIFIER_OWN_GUARD`: until when the tag must be remembered, in milliseconds since
   * 1970; 0 where there is no tag, since a Standard request can be sent again and again.
   */
  uint64_t remember_until_ms;
  /**
   * The level of the key.
   */
  cxk_level level;
  /**
   * Always 0.
   */
  uint32_t reserved;
  /**
   * With `CXK_VERIFIER_OWN_GUARD`: names this use of the key, the same in every process. Look
   * whether it is known and remember it in one step; where it is known, the request is a replay.
   *
   * A key in Redis that expires at `remember_until_ms` is no guard: its clock may differ from
   * the verifiers', and what it lost is accepted again. `replay_guard.lua` is one, and the
   * example `shared_guard.c` uses it.
   */
  uint8_t replay_tag[CXK_REPLAY_TAG_SIZE];
} cxk_principal;

/**
 * A request of a batch: all its headers, or those that authenticate it.
 */
typedef struct cxk_request {
  /**
   * The headers, in any order. It may be NULL where there are none.
   */
  const struct cxk_header *CXK_NULLABLE headers;
  /**
   * How many there are, at most `CXK_HEADERS_MAX`.
   */
  size_t count;
} cxk_request;

/**
 * A key, as it is defined; all zeros when a call fails.
 */
typedef struct cxk_definition {
  /**
   * Its id in its tenant, by the lock file; 0 where that does not know it.
   */
  uint64_t key_id;
  /**
   * When it expires, in milliseconds since 1970; `CXK_NEVER` where it does not, or where it
   * has a lifetime.
   */
  uint64_t expires_ms;
  /**
   * How long it lives from when it is generated, in milliseconds; 0 where it has no lifetime.
   */
  uint64_t lifetime_ms;
  /**
   * Its level.
   */
  cxk_level level;
  /**
   * Always 0.
   */
  uint32_t reserved;
  /**
   * Its name.
   */
  char name[CXK_NAME_SIZE];
  /**
   * The tenant that it is of; empty where none is said.
   */
  char tenant[CXK_NAME_SIZE];
} cxk_definition;

/**
 * What is asked: one of the `CXK_ASK_...`.
 */
typedef uint32_t cxk_question_kind;

/**
 * An endpoint. Names are UTF-8, end with NUL and have at most `CXK_TEXT_MAX` bytes.
 */
typedef struct cxk_endpoint {
  /**
   * The endpoint groups that it is in. It may be NULL where there are none.
   */
  const char *CXK_NULLABLE const *CXK_NULLABLE groups;
  /**
   * How many.
   */
  size_t group_count;
  /**
   * Its tags. It may be NULL where there are none.
   */
  const char *CXK_NULLABLE const *CXK_NULLABLE tags;
  /**
   * How many.
   */
  size_t tag_count;
} cxk_endpoint;

/**
 * What an issue references: one of the `CXK_REFERENCE_...`.
 */
typedef uint32_t cxk_reference_kind;

/**
 * What an issue references.
 */
typedef struct cxk_reference {
  /**
   * The asset groups that an asset is in. It may be NULL where there are none.
   */
  const char *CXK_NULLABLE const *CXK_NULLABLE groups;
  /**
   * How many.
   */
  size_t group_count;
  /**
   * The endpoint of an asset with an agent; else NULL.
   */
  const struct cxk_endpoint *CXK_NULLABLE endpoint;
  /**
   * What it is.
   */
  cxk_reference_kind kind;
  /**
   * Always 0.
   */
  uint32_t reserved;
} cxk_reference;

/**
 * An issue of a case.
 */
typedef struct cxk_issue {
  /**
   * Its domain.
   */
  const char *CXK_NULLABLE domain;
  /**
   * What it references. It may be NULL where there is nothing.
   */
  const struct cxk_reference *CXK_NULLABLE references;
  /**
   * How much.
   */
  size_t reference_count;
} cxk_issue;

/**
 * A field of a row.
 */
typedef struct cxk_field {
  /**
   * Its name.
   */
  const char *CXK_NULLABLE name;
  /**
   * Its value.
   */
  const char *CXK_NULLABLE value;
} cxk_field;

/**
 * A level of a component: one of the `CXK_PERMISSION_...`.
 */
typedef uint32_t cxk_permission;

/**
 * A question about a key. Begin with `cxk_question question = CXK_QUESTION_INIT;`, then set `kind`
 * and what that kind names; the rest is not looked at. Texts are UTF-8, end with NUL and have at
 * most `CXK_TEXT_MAX` bytes; lists have at most `CXK_LIST_MAX` entries.
 *
 * Names are compared byte by byte with those in the key's roles and scope:
 *
 * - Component: the console's name, such as "Public API"; where two groups have one of the same
 *   name, the group follows: "Issues (Application Security)". docs/roles.md lists all that are
 *   public, with their levels.
 * - Action: the console's name, such as "Live Terminal"; docs/roles.md lists it beside its
 *   component. An action has no level.
 * - Domain: "Security", "Posture", "Health", "Hunting", "IT", or one of the tenant's own.
 * - Dataset, group, tag and field: the tenant's own names.
 *
 * `cortexkey roles "ROLE"` lists what one role holds, an organisation's own role included. There is
 * no complete public list, so a name that nobody lists is not an error. It is answered as one that
 * the roles do not list: `CXK_OK` where a role holds everything or every other component,
 * `CXK_DECISION_REFUSED` where the roles are listed completely, else `CXK_DECISION_UNKNOWN`. Take
 * names from constants of the program, since a misspelled one can be allowed.
 */
typedef struct cxk_question {
  /**
   * `sizeof(cxk_question)`
   */
  uint32_t struct_size;
  /**
   * What is asked.
   */
  cxk_question_kind kind;
  /**
   * A component, an action, a domain or a dataset, as above.
   */
  const char *CXK_NULLABLE name;
  /**
   * The groups of an asset or endpoint.
   */
  const char *CXK_NULLABLE const *CXK_NULLABLE groups;
  /**
   * How many.
   */
  size_t group_count;
  /**
   * The tags of an endpoint.
   */
  const char *CXK_NULLABLE const *CXK_NULLABLE tags;
  /**
   * How many.
   */
  size_t tag_count;
  /**
   * What an issue references.
   */
  const struct cxk_reference *CXK_NULLABLE references;
  /**
   * How much.
   */
  size_t reference_count;
  /**
   * The issues of a case.
   */
  const struct cxk_issue *CXK_NULLABLE issues;
  /**
   * How many.
   */
  size_t issue_count;
  /**
   * The fields of a row.
   */
  const struct cxk_field *CXK_NULLABLE fields;
  /**
   * How many.
   */
  size_t field_count;
  /**
   * The level of a component.
   */
  cxk_permission permission;
  /**
   * Always 0.
   */
  uint32_t reserved;
} cxk_question;

/**
 * What goes with an answer. Where there is none, `answer` and `if_enforced` are the status of the
 * call, and never `CXK_OK`.
 */
typedef struct cxk_decision {
  /**
   * What the call returns: `CXK_OK`, `CXK_DECISION_REFUSED` or `CXK_DECISION_UNKNOWN`, or why
   * there is no answer.
   */
  cxk_status answer;
  /**
   * What the answer would be if the tenant enforced scopes: the same, but where they are off.
   */
  cxk_status if_enforced;
  /**
   * 1 where there is an answer.
   */
  uint32_t decided;
  /**
   * 1 where the tenant does not enforce scopes.
   */
  uint32_t scopes_off;
} cxk_decision;

/**
 * Done.
 */
#define CXK_OK 0

/**
 * A pointer that must point somewhere is NULL.
 */
#define CXK_NULL_ARG (-1)

/**
 * An argument cannot be used, such as a pointer that is not aligned.
 */
#define CXK_BAD_ARG (-2)

/**
 * The pointer is not a live handle of the type that the call takes.
 */
#define CXK_WRONG_HANDLE (-3)

/**
 * The key is not 1 to 256 bytes of visible ASCII.
 */
#define CXK_INVALID_KEY (-4)

/**
 * The key id is 0.
 */
#define CXK_INVALID_KEY_ID (-5)

/**
 * The level is neither `CXK_LEVEL_STANDARD` nor `CXK_LEVEL_ADVANCED`.
 */
#define CXK_INVALID_LEVEL (-6)

/**
 * The nonce to sign with is not 64 ASCII letters and digits.
 */
#define CXK_INVALID_NONCE (-7)

/**
 * The time to sign with is not Unix time in milliseconds, 13 digits.
 */
#define CXK_INVALID_TIMESTAMP (-8)

/**
 * The operating system gave no random bytes.
 */
#define CXK_RNG_FAILED (-9)

/**
 * The machine's clock shows a time that no request can carry.
 */
#define CXK_CLOCK_FAILED (-10)

/**
 * There is no memory.
 */
#define CXK_NO_MEMORY (-11)

/**
 * Header and library have different binary interfaces.
 */
#define CXK_ABI_MISMATCH (-12)

/**
 * A buffer is too small for the answer.
 */
#define CXK_BUFFER_TOO_SMALL (-13)

/**
 * A count or a length is above its limit.
 */
#define CXK_TOO_LARGE (-14)

/**
 * A structure's `struct_size` was not set, or a field is set that this library does not know.
 */
#define CXK_INVALID_STRUCT (-15)

/**
 * An option has a value that it cannot have.
 */
#define CXK_INVALID_OPTION (-16)

/**
 * A text is not UTF-8, or too long.
 */
#define CXK_INVALID_TEXT (-17)

/**
 * There is no such key or definition.
 */
#define CXK_NOT_FOUND (-18)

/**
 * Several definitions have this name; give `tenant/name`.
 */
#define CXK_AMBIGUOUS_NAME (-19)

/**
 * The bytes are no compiled definitions, or were damaged.
 */
#define CXK_INVALID_DEFINITIONS (-20)

/**
 * The definitions were compiled for a newer library.
 */
#define CXK_UNSUPPORTED_FORMAT (-21)

/**
 * The signer's key is Standard: it is sent as it is, and signs nothing.
 */
#define CXK_NOT_ADVANCED (-22)

/**
 * At least one request of a batch was refused; the statuses say which.
 */
#define CXK_SOME_REFUSED (-23)

/**
 * Refused: the key may not.
 */
#define CXK_DECISION_REFUSED (-201)

/**
 * Unknown: the answer hangs on something that nobody listed. Grant nothing on it.
 */
#define CXK_DECISION_UNKNOWN (-202)

/**
 * A fault in the library, caught. The call did nothing; the library stays usable.
 */
#define CXK_INTERNAL (-900)

/**
 * The key itself is sent.
 */
#define CXK_LEVEL_STANDARD 1

/**
 * A digest of the key, a nonce and the time is sent.
 */
#define CXK_LEVEL_ADVANCED 2

/**
 * More than a week is left, or it never expires.
 */
#define CXK_EXPIRY_VALID 1

/**
 * A week or less is left.
 */
#define CXK_EXPIRY_WITHIN_WEEK 2

/**
 * A day or less is left.
 */
#define CXK_EXPIRY_WITHIN_DAY 3

/**
 * It is dead.
 */
#define CXK_EXPIRY_EXPIRED 4

/**
 * Does the key hold the component `name` at `permission`? See `cxk_question` for the names.
 */
#define CXK_ASK_COMPONENT 1

/**
 * Does the key hold the action `name`? See `cxk_question` for the names.
 */
#define CXK_ASK_ACTION 2

/**
 * May the key see an asset in these asset `groups`?
 */
#define CXK_ASK_ASSET 3

/**
 * May the key see a finding of an asset in these asset `groups`?
 */
#define CXK_ASK_FINDING 4

/**
 * May the key see an issue of the domain `name` with these `references`?
 */
#define CXK_ASK_ISSUE 5

/**
 * May the key see a case of the domain `name` with these `issues`?
 */
#define CXK_ASK_CASE 6

/**
 * May the key see an endpoint in these endpoint `groups`, with these `tags`?
 */
#define CXK_ASK_ENDPOINT 7

/**
 * May the key manage an endpoint in these endpoint `groups`, with these `tags`, as far as its
 * scope goes?
 */
#define CXK_ASK_MANAGE_ENDPOINT 8

/**
 * May the key see a row of the dataset `name` with these `fields`?
 */
#define CXK_ASK_DATASET_ROW 9

/**
 * Nothing: the component is hidden. No question asks for it.
 */
#define CXK_PERMISSION_NONE 0

/**
 * Looking at it.
 */
#define CXK_PERMISSION_VIEW 1

/**
 * Changing it (the console's View/Edit).
 */
#define CXK_PERMISSION_EDIT 2

/**
 * An asset of the inventory.
 */
#define CXK_REFERENCE_ASSET 1

/**
 * An asset that was deleted. An issue that references nothing else needs the switch for
 * unreferenced issues, as one of an unknown asset does.
 */
#define CXK_REFERENCE_DELETED 2

/**
 * Something that no inventory knows.
 */
#define CXK_REFERENCE_UNKNOWN 3

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The binary interface of the library that the program runs with; `cxk_abi_check()` compares it
 * with the header's `CXK_ABI_VERSION`.
 *
 * - Threads: any.
 * - Errors: none.
 *
 * ```c
 * if (cxk_abi_version() != CXK_ABI_VERSION) abort();
 * ```
 */
CXK_API CXK_MUST_USE uint32_t cxk_abi_version(void);

/**
 * The release of the library that the program runs with, such as "0.1.0".
 *
 * - Ownership: the text is the library's and stays for the whole run.
 * - Threads: any.
 * - Errors: none; never NULL.
 *
 * ```c
 * printf("built with %s, runs with %s\n", CXK_VERSION, cxk_version());
 * ```
 */
CXK_API CXK_MUST_USE const char *CXK_NONNULL cxk_version(void);

/**
 * The stable code of a status, such as "invalid-nonce" or "timestamp-stale", for logs and
 * comparisons; "unknown-status" for a number that is none.
 *
 * - Ownership: the text is the library's and stays for the whole run.
 * - Threads: any.
 * - Errors: none; never NULL.
 *
 * ```c
 * fprintf(stderr, "refused: %s\n", cxk_status_name(CXK_VERDICT_TIMESTAMP_STALE));
 * ```
 */
CXK_API CXK_MUST_USE const char *CXK_NONNULL cxk_status_name(cxk_status status);

/**
 * What a status means, in a sentence without a full stop, for people. The wording may change.
 *
 * - Ownership: the text is the library's and stays for the whole run.
 * - Threads: any.
 * - Errors: none; never NULL.
 *
 * ```c
 * fprintf(stderr, "cannot sign: %s\n", cxk_status_message(CXK_INVALID_KEY));
 * ```
 */
CXK_API CXK_MUST_USE const char *CXK_NONNULL cxk_status_message(cxk_status status);

/**
 * Draws a nonce: 64 letters and digits, each as likely as the other, and NUL.
 *
 * - Ownership: `out` is the caller's memory; all zeros when the call fails.
 * - Threads: any.
 * - Errors: `CXK_NULL_ARG`, `CXK_BUFFER_TOO_SMALL` (`out_size` below `CXK_NONCE_SIZE`),
 *   `CXK_TOO_LARGE` (above 4,096), `CXK_RNG_FAILED`.
 *
 * ```c
 * char nonce[CXK_NONCE_SIZE];
 * if (cxk_nonce(nonce, sizeof nonce) == CXK_OK) puts(nonce);
 * ```
 *
 * # Safety
 *
 * `out_size` bytes at `out` may be written.
 */
CXK_API CXK_MUST_USE cxk_status cxk_nonce(char *CXK_NONNULL out, size_t out_size);

/**
 * Whether two memories hold the same `len` bytes: 1 if so, 0 if not. How long it takes depends on
 * `len` alone.
 *
 * - Ownership: both stay the caller's.
 * - Threads: any.
 * - Errors: 0 where a pointer is NULL, or `len` is 0 or above 2^31 - 1.
 *
 * ```c
 * const char seen[] = "0123456789abcdef", kept[] = "0123456789abcdef";
 * if (!cxk_equal(seen, kept, sizeof kept)) abort();
 * ```
 *
 * # Safety
 *
 * `len` bytes at `a` and at `b` are readable.
 */
CXK_API CXK_MUST_USE int32_t cxk_equal(const void *CXK_NONNULL a, const void *CXK_NONNULL b, size_t len);

/**
 * Overwrites memory with zeros. A compiler does not leave it out, as it may a `memset()`.
 *
 * - Ownership: the memory stays the caller's. NULL is left alone.
 * - Threads: any, while no other uses the same memory.
 * - Errors: none.
 *
 * ```c
 * cxk_headers headers;
 * if (cxk_signer_headers(signer, &headers) == CXK_OK) send(&headers);
 * cxk_wipe(&headers, sizeof headers);
 * ```
 *
 * # Safety
 *
 * `memory` is NULL, or `len` bytes there may be written.
 */
CXK_API void cxk_wipe(void *CXK_NULLABLE memory, size_t len);

/**
 * Makes a signer for a key.
 *
 * - Ownership: `*out` is the caller's, who gives it to `cxk_signer_free()`. The key is hashed or
 *   copied; the caller may wipe it at once. `*out` is NULL when the call fails.
 * - Threads: any.
 * - Errors: `CXK_NULL_ARG`, `CXK_INVALID_KEY_ID`, `CXK_INVALID_LEVEL`, `CXK_INVALID_KEY` (empty,
 *   longer than 256 bytes, or something besides visible ASCII: often a line end),
 *   `CXK_NO_MEMORY`.
 *
 * ```c
 * const char *key = getenv("CORTEXKEY_API_KEY");
 * cxk_signer *mine = NULL;
 * if (key == NULL) exit(2);
 * cxk_status status = cxk_signer_new(7, CXK_LEVEL_ADVANCED, key, strlen(key), &mine);
 * if (status != CXK_OK) fprintf(stderr, "%s\n", cxk_status_message(status));
 * cxk_signer_free(mine);
 * ```
 *
 * # Safety
 *
 * `key` points to `key_len` readable bytes; NUL need not follow. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_signer_new(uint64_t key_id,
                          cxk_level level,
                          const char *CXK_NONNULL key,
                          size_t key_len,
                          struct cxk_signer *CXK_NULLABLE *CXK_NONNULL out);

/**
 * The header values of one attempt, with a fresh nonce and the machine's time. Sign every
 * attempt anew, retries too; never send headers on to another host after a redirect.
 *
 * - Ownership: `out` is the caller's memory; all zeros when the call fails.
 * - Threads: any number at once with one signer, each with its own `out`.
 * - Errors: `CXK_NULL_ARG`, `CXK_WRONG_HANDLE`, `CXK_RNG_FAILED`, `CXK_CLOCK_FAILED`.
 *
 * ```c
 * cxk_headers headers;
 * if (cxk_signer_headers(signer, &headers) != CXK_OK) exit(2);
 * printf("x-xdr-auth-id: %s\n", headers.key_id);
 * ```
 *
 * # Safety
 *
 * `signer` comes from `cxk_signer_new()` and lives. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_signer_headers(const struct cxk_signer *CXK_NONNULL signer,
                              struct cxk_headers *CXK_NONNULL out);

/**
 * The header values for a nonce and a time of the caller's, for tests and repeatable answers.
 * Never send two requests with one nonce. A Standard key uses neither, and neither is looked at.
 *
 * - Ownership: `out` is the caller's memory; all zeros when the call fails.
 * - Threads: any number at once with one signer, each with its own `out`.
 * - Errors: `CXK_NULL_ARG`, `CXK_WRONG_HANDLE`, `CXK_INVALID_NONCE` (not 64 ASCII letters and
 *   digits), `CXK_INVALID_TIMESTAMP` (not 13 digits of milliseconds).
 *
 * ```c
 * cxk_headers headers;
 * const char nonce[] = "0000000000000000000000000000000000000000000000000000000000000000";
 * if (cxk_signer_headers_at(signer, nonce, 64, 1700000000000u, &headers) == CXK_OK)
 *   puts(headers.authorization);
 * ```
 *
 * # Safety
 *
 * `signer` comes from `cxk_signer_new()` and lives. `nonce` points to `nonce_len` readable
 * bytes. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_signer_headers_at(const struct cxk_signer *CXK_NONNULL signer,
                                 const char *CXK_NULLABLE nonce,
                                 size_t nonce_len,
                                 uint64_t timestamp_ms,
                                 struct cxk_headers *CXK_NONNULL out);

/**
 * As `cxk_signer_headers()`, in lines `Name: value`.
 *
 * - Ownership: `out` is the caller's memory; all zeros when the call fails.
 * - Threads: any number at once with one signer, each with its own `out`.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_RNG_FAILED`,
 *   `CXK_CLOCK_FAILED`.
 *
 * ```c
 * cxk_header_lines lines;
 * if (cxk_signer_header_lines(signer, &lines) != CXK_OK) exit(2);
 * for (uint32_t i = 0; i < lines.count; i++) puts(lines.line[i]);
 * cxk_wipe(&lines, sizeof lines);
 * ```
 *
 * # Safety
 *
 * `signer` comes from `cxk_signer_new()` and lives. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_signer_header_lines(const struct cxk_signer *CXK_NONNULL signer,
                                   struct cxk_header_lines *CXK_NONNULL out);

/**
 * Signs many requests of an Advanced key at once, each with a nonce of its own, all with the same
 * time of the machine. Send them within the minute: what a verifier allows is not documented.
 *
 * - Ownership: `out` is an array of the caller's; all zeros when the call fails. A `count` of 0
 *   does nothing.
 * - Threads: any number at once with one signer, each with its own `out`.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_TOO_LARGE` (above
 *   `CXK_BATCH_MAX`), `CXK_NOT_ADVANCED`, `CXK_RNG_FAILED`, `CXK_CLOCK_FAILED`.
 *
 * ```c
 * cxk_signature batch[64];
 * if (cxk_signer_sign_batch(signer, batch, 64) != CXK_OK) exit(2);
 * printf("%s %s %s\n", batch[63].authorization, batch[63].nonce, batch[63].timestamp);
 * ```
 *
 * # Safety
 *
 * `signer` comes from `cxk_signer_new()` and lives. `count` structures at `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_signer_sign_batch(const struct cxk_signer *CXK_NONNULL signer,
                                 struct cxk_signature *CXK_NONNULL out,
                                 size_t count);

/**
 * Wipes and frees a signer.
 *
 * - Ownership: the signer is gone. NULL, and what is no live signer, is left alone; freeing a
 *   signer twice is nevertheless a mistake that cannot always be seen.
 * - Threads: when no other uses the signer.
 * - Errors: none.
 *
 * ```c
 * cxk_signer_free(NULL);
 * ```
 *
 * # Safety
 *
 * `signer` is NULL, or comes from `cxk_signer_new()` and lives.
 */
CXK_API void cxk_signer_free(struct cxk_signer *CXK_NULLABLE signer);

/**
 * How a key that expires at one time stands at another, and when the product's notices are due.
 *
 * - Ownership: `out` is the caller's memory; all zeros when the call fails.
 * - Threads: any.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`.
 *
 * ```c
 * cxk_expiry expiry;
 * if (cxk_expiry_at(1800000000000u, 1799999999999u, &expiry) == CXK_OK &&
 *     expiry.state == CXK_EXPIRY_WITHIN_DAY)
 *   puts("rotate it today");
 * ```
 *
 * # Safety
 *
 * `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_expiry_at(uint64_t expires_ms,
                         uint64_t now_ms,
                         struct cxk_expiry *CXK_NONNULL out);

/**
 * Makes a keyring without keys.
 *
 * - Ownership: `*out` is the caller's, who gives it to `cxk_keyring_free()`; NULL when the call
 *   fails.
 * - Threads: any.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_NO_MEMORY`.
 *
 * ```c
 * cxk_keyring *mine = NULL;
 * if (cxk_keyring_new(&mine) != CXK_OK) exit(2);
 * cxk_keyring_free(mine);
 * ```
 *
 * # Safety
 *
 * `out` may be written.
 */
CXK_API CXK_MUST_USE cxk_status cxk_keyring_new(struct cxk_keyring *CXK_NULLABLE *CXK_NONNULL out);

/**
 * Adds a key, in place of the one with its id where there is one.
 *
 * - Ownership: the key is hashed; the caller may wipe it at once.
 * - Threads: any number at once, while others verify.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_INVALID_STRUCT`,
 *   `CXK_INVALID_KEY_ID`, `CXK_INVALID_LEVEL`, `CXK_INVALID_KEY`, `CXK_INVALID_OPTION` (unknown
 *   flags), `CXK_NO_MEMORY`. The keyring is then as it was.
 *
 * ```c
 * cxk_key key = CXK_KEY_INIT;
 * key.key_id = 7;
 * key.level = CXK_LEVEL_ADVANCED;
 * key.key = getenv("CORTEXKEY_API_KEY");
 * key.key_len = key.key == NULL ? 0 : strlen(key.key);
 * if (cxk_keyring_put(keyring, &key) != CXK_OK) exit(2);
 * ```
 *
 * # Safety
 *
 * `keyring` comes from `cxk_keyring_new()` and lives. `key` points to a structure of the size
 * that it states, and in it `key` to `key_len` readable bytes.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_keyring_put(struct cxk_keyring *CXK_NONNULL keyring,
                           const struct cxk_key *CXK_NONNULL key);

/**
 * Revokes a key: it stays known, and its requests are refused as `key-revoked`, until the key is
 * removed, or put anew without `CXK_KEY_REVOKED`.
 *
 * - Threads: any number at once, while others verify. No request that is verified after the call
 *   is accepted.
 * - Errors: `CXK_NULL_ARG`, `CXK_WRONG_HANDLE`, `CXK_NOT_FOUND`.
 *
 * ```c
 * if (cxk_keyring_revoke(keyring, 7) != CXK_OK) puts("there is no key 7");
 * ```
 *
 * # Safety
 *
 * `keyring` comes from `cxk_keyring_new()` and lives.
 */
CXK_API CXK_MUST_USE cxk_status cxk_keyring_revoke(struct cxk_keyring *CXK_NONNULL keyring, uint64_t key_id);

/**
 * Removes and wipes a key; its requests are then refused as `unknown-key`.
 *
 * - Threads: any number at once, while others verify. No request that is verified after the call
 *   is accepted.
 * - Errors: `CXK_NULL_ARG`, `CXK_WRONG_HANDLE`, `CXK_NOT_FOUND`.
 *
 * ```c
 * if (cxk_keyring_remove(keyring, 7) == CXK_NOT_FOUND) puts("there is no key 7");
 * ```
 *
 * # Safety
 *
 * `keyring` comes from `cxk_keyring_new()` and lives.
 */
CXK_API CXK_MUST_USE cxk_status cxk_keyring_remove(struct cxk_keyring *CXK_NONNULL keyring, uint64_t key_id);

/**
 * Ends a keyring. Verifiers that were made with it keep its keys until they end, too; then all is
 * wiped.
 *
 * - Ownership: the keyring is gone. NULL, and what is no live keyring, is left alone; freeing one
 *   twice is nevertheless a mistake that cannot always be seen.
 * - Threads: when no other uses the keyring itself; verifiers may go on.
 * - Errors: none.
 *
 * ```c
 * cxk_keyring_free(NULL);
 * ```
 *
 * # Safety
 *
 * `keyring` is NULL, or comes from `cxk_keyring_new()` and lives.
 */
CXK_API void cxk_keyring_free(struct cxk_keyring *CXK_NULLABLE keyring);

/**
 * Makes a replay guard, and takes its memory.
 *
 * - Ownership: `*out` is the caller's, who gives it to `cxk_replay_guard_free()`; NULL when the
 *   call fails.
 * - Threads: any.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_INVALID_STRUCT`, `CXK_INVALID_OPTION` (a number
 *   out of its range), `CXK_RNG_FAILED`, `CXK_NO_MEMORY`.
 *
 * For 100 requests a second and a skew of 60 seconds:
 *
 * ```c
 * cxk_replay_guard_options options = CXK_REPLAY_GUARD_OPTIONS_INIT;
 * cxk_replay_guard *mine = NULL;
 * options.entries = 100 * (2 * 60);
 * options.started_ms = (uint64_t)time(NULL) * 1000;
 * if (cxk_replay_guard_new(&options, &mine) != CXK_OK) exit(2);
 * cxk_replay_guard_free(mine);
 * ```
 *
 * # Safety
 *
 * `options` points to a structure of the size that it states. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_replay_guard_new(const struct cxk_replay_guard_options *CXK_NONNULL options,
                                struct cxk_replay_guard *CXK_NULLABLE *CXK_NONNULL out);

/**
 * Ends a replay guard. Verifiers that were made with it keep it until they end, too.
 *
 * - Ownership: the guard is gone. NULL, and what is no live guard, is left alone; freeing one
 *   twice is nevertheless a mistake that cannot always be seen.
 * - Threads: when no other uses the guard itself; verifiers may go on.
 * - Errors: none.
 *
 * ```c
 * cxk_replay_guard_free(NULL);
 * ```
 *
 * # Safety
 *
 * `guard` is NULL, or comes from `cxk_replay_guard_new()` and lives.
 */
CXK_API void cxk_replay_guard_free(struct cxk_replay_guard *CXK_NULLABLE guard);

/**
 * Makes a verifier.
 *
 * - Ownership: `*out` is the caller's, who gives it to `cxk_verifier_free()`; NULL when the call
 *   fails. Keyring and guard stay the caller's, and may be freed before the verifier.
 * - Threads: any.
 * - Errors: `CXK_NULL_ARG` (also where `guard` is NULL without `CXK_VERIFIER_OWN_GUARD`),
 *   `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_INVALID_STRUCT`, `CXK_INVALID_OPTION` (also a guard
 *   beside `CXK_VERIFIER_OWN_GUARD`), `CXK_NO_MEMORY`.
 *
 * ```c
 * cxk_verifier *mine = NULL;
 * if (cxk_verifier_new(NULL, keyring, guard, &mine) != CXK_OK) exit(2);
 * cxk_verifier_free(mine);
 * ```
 *
 * # Safety
 *
 * `options` is NULL, for all defaults, or points to a structure of the size that it states.
 * `keyring` comes from `cxk_keyring_new()` and lives. `guard` is NULL, or comes from
 * `cxk_replay_guard_new()` and lives. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_verifier_new(const struct cxk_verifier_options *CXK_NULLABLE options,
                            const struct cxk_keyring *CXK_NONNULL keyring,
                            struct cxk_replay_guard *CXK_NULLABLE guard,
                            struct cxk_verifier *CXK_NULLABLE *CXK_NONNULL out);

/**
 * Whether a request is authentic, and whose: `CXK_OK`, or why not. To the client every refusal
 * must look the same (the product's 401); the status is for the log.
 *
 * - Ownership: the headers stay the caller's. `out` is the caller's memory; all zeros unless the
 *   request is accepted.
 * - Threads: any number at once, while keys change.
 * - Errors: the `CXK_VERDICT_...`; `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`,
 *   `CXK_TOO_LARGE` (more than `CXK_HEADERS_MAX` headers).
 *
 * ```c
 * cxk_header headers[] = {{"x-xdr-auth-id", 13, "7", 1}, {"Authorization", 13, "a-key", 5}};
 * cxk_principal principal;
 * cxk_status status =
 *     cxk_verify(verifier, headers, 2, (uint64_t)time(NULL) * 1000, &principal);
 * if (status != CXK_OK) fprintf(stderr, "refused: %s\n", cxk_status_name(status));
 * ```
 *
 * # Safety
 *
 * `verifier` comes from `cxk_verifier_new()` and lives. `headers` points to `count` headers,
 * whose names and values are readable. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_verify(const struct cxk_verifier *CXK_NONNULL verifier,
                      const struct cxk_header *CXK_NULLABLE headers,
                      size_t count,
                      uint64_t now_ms,
                      struct cxk_principal *CXK_NONNULL out);

/**
 * Verifies many requests at one time of the clock, in their order: of two equal requests the
 * first is accepted. Each gets the status that `cxk_verify()` would give.
 *
 * - Ownership: as `cxk_verify()`. `statuses` and `principals` are arrays of `count`. When the call
 *   itself fails, every status is its status, and every principal is zeros.
 * - Threads: any number at once, while keys change.
 * - Errors: `CXK_SOME_REFUSED` where not all were accepted; `CXK_NULL_ARG`, `CXK_BAD_ARG`,
 *   `CXK_WRONG_HANDLE`, `CXK_TOO_LARGE` (above `CXK_BATCH_MAX` requests), `CXK_NO_MEMORY`.
 *
 * ```c
 * cxk_header headers[] = {{"x-xdr-auth-id", 13, "7", 1}, {"Authorization", 13, "a-key", 5}};
 * cxk_request requests[] = {{headers, 2}, {headers, 1}};
 * cxk_status statuses[2];
 * cxk_principal principals[2];
 * if (cxk_verify_batch(verifier, requests, 2, 1700000000000u, statuses, principals) != CXK_OK)
 *   puts(cxk_status_name(statuses[1]));
 * ```
 *
 * # Safety
 *
 * `verifier` comes from `cxk_verifier_new()` and lives. `requests` points to `count` requests as
 * `cxk_verify()` takes them. `count` statuses and principals may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_verify_batch(const struct cxk_verifier *CXK_NONNULL verifier,
                            const struct cxk_request *CXK_NULLABLE requests,
                            size_t count,
                            uint64_t now_ms,
                            cxk_status *CXK_NONNULL statuses,
                            struct cxk_principal *CXK_NONNULL principals);

/**
 * Ends a verifier.
 *
 * - Ownership: the verifier is gone. NULL, and what is no live verifier, is left alone; freeing
 *   one twice is nevertheless a mistake that cannot always be seen.
 * - Threads: when no other uses the verifier.
 * - Errors: none.
 *
 * ```c
 * cxk_verifier_free(NULL);
 * ```
 *
 * # Safety
 *
 * `verifier` is NULL, or comes from `cxk_verifier_new()` and lives.
 */
CXK_API void cxk_verifier_free(struct cxk_verifier *CXK_NULLABLE verifier);

/**
 * Loads compiled definitions, of which it keeps a copy.
 *
 * - Ownership: `*out` is the caller's, who gives it to `cxk_definitions_free()`; NULL when the
 *   call fails. The bytes stay the caller's.
 * - Threads: any.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_TOO_LARGE` (above 64 MiB),
 *   `CXK_INVALID_DEFINITIONS`, `CXK_UNSUPPORTED_FORMAT`, `CXK_NO_MEMORY`.
 *
 * ```c
 * char bytes[4096];
 * FILE *file = fopen("keys.ckc", "rb");
 * size_t len = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
 * cxk_definitions *mine = NULL;
 * if (cxk_definitions_load(bytes, len, &mine) != CXK_OK) exit(2);
 * cxk_definitions_free(mine);
 * ```
 *
 * # Safety
 *
 * `bytes` points to `len` readable bytes. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_definitions_load(const void *CXK_NONNULL bytes,
                                size_t len,
                                struct cxk_definitions *CXK_NULLABLE *CXK_NONNULL out);

/**
 * The definition at a place, counted from 0: for going through all of them.
 *
 * - Ownership: `out` is the caller's memory; all zeros when the call fails.
 * - Threads: any number at once.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_NOT_FOUND` (behind the last).
 *
 * ```c
 * cxk_definition definition;
 * for (size_t at = 0; cxk_definitions_get(definitions, at, &definition) == CXK_OK; at++)
 *   puts(definition.name);
 * ```
 *
 * # Safety
 *
 * `definitions` comes from `cxk_definitions_load()` and lives. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_definitions_get(const struct cxk_definitions *CXK_NONNULL definitions,
                               size_t at,
                               struct cxk_definition *CXK_NONNULL out);

/**
 * The place of the definition with a name, or with `tenant/name`.
 *
 * - Ownership: `out` is the caller's memory; `CXK_NOWHERE` when the call fails.
 * - Threads: any number at once.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_INVALID_TEXT`,
 *   `CXK_NOT_FOUND`, `CXK_AMBIGUOUS_NAME`.
 *
 * ```c
 * size_t at;
 * if (cxk_definitions_find(definitions, "prod-eu/export", 14, &at) != CXK_OK) exit(2);
 * ```
 *
 * # Safety
 *
 * `definitions` comes from `cxk_definitions_load()` and lives. `name` points to `name_len`
 * readable bytes. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_definitions_find(const struct cxk_definitions *CXK_NONNULL definitions,
                                const char *CXK_NONNULL name,
                                size_t name_len,
                                size_t *CXK_NONNULL out);

/**
 * The place of the definition that a key id belongs to: that of a principal, say. Ids come from
 * the lock file when definitions are compiled; ids of keys that were replaced and live on for a
 * grace lead to their definition, too.
 *
 * - Ownership: `out` is the caller's memory; `CXK_NOWHERE` when the call fails.
 * - Threads: any number at once.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_NOT_FOUND`,
 *   `CXK_AMBIGUOUS_NAME` (several tenants have such an id: compile those of one).
 *
 * ```c
 * size_t at;
 * if (cxk_definitions_find_id(definitions, 7, &at) != CXK_OK) puts("nobody defined key 7");
 * ```
 *
 * # Safety
 *
 * `definitions` comes from `cxk_definitions_load()` and lives. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_definitions_find_id(const struct cxk_definitions *CXK_NONNULL definitions,
                                   uint64_t key_id,
                                   size_t *CXK_NONNULL out);

/**
 * Says what keys gain from one version of the definitions to the next: a line for each gain, with
 * its code (`role-added`), the key and a sentence, with tabs between and a line end behind.
 *
 * - Ownership: `text` is the caller's memory of `text_size` bytes. It always ends with NUL, and
 *   is cut where it is too small. `gains` counts all gains, whether their lines fit or not. When the
 *   call fails, `text` is all zeros and `gains` is `CXK_NOWHERE`, which is no count of none.
 * - Threads: any number at once.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_BUFFER_TOO_SMALL` (no room
 *   for a NUL), `CXK_TOO_LARGE` (`text_size` above 64 MiB).
 *
 * ```c
 * char text[4096];
 * size_t gains;
 * if (cxk_compare(definitions, definitions, text, sizeof text, &gains) != CXK_OK) exit(2);
 * if (gains > 0) fputs(text, stderr);
 * ```
 *
 * # Safety
 *
 * `before` and `after` come from `cxk_definitions_load()` and live. `text_size` bytes at `text`,
 * and `gains`, may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_compare(const struct cxk_definitions *CXK_NONNULL before,
                       const struct cxk_definitions *CXK_NONNULL after,
                       char *CXK_NONNULL text,
                       size_t text_size,
                       size_t *CXK_NONNULL gains);

/**
 * Ends definitions.
 *
 * - Ownership: the definitions are gone. NULL, and what is no live handle, is left alone; freeing
 *   one twice is nevertheless a mistake that cannot always be seen.
 * - Threads: when no other uses the definitions.
 * - Errors: none.
 *
 * ```c
 * cxk_definitions_free(NULL);
 * ```
 *
 * # Safety
 *
 * `definitions` is NULL, or comes from `cxk_definitions_load()` and lives.
 */
CXK_API void cxk_definitions_free(struct cxk_definitions *CXK_NULLABLE definitions);

/**
 * Answers a question about the key at a place of the definitions: `CXK_OK` where it may,
 * `CXK_DECISION_REFUSED` where it may not, `CXK_DECISION_UNKNOWN` where that hangs on something
 * that nobody listed.
 *
 * - Ownership: `out` is the caller's memory; when there is no answer it holds the status. `text`
 *   is the caller's memory of `text_size` bytes for one line that says how the answer came about, and
 *   what would change it; NULL where nobody wants it. It ends with NUL, and is cut where it is too
 *   small.
 * - Threads: any number at once.
 * - Errors: besides the answers: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`,
 *   `CXK_NOT_FOUND` (no such place), `CXK_INVALID_STRUCT`, `CXK_INVALID_OPTION` (no such kind,
 *   permission or reference), `CXK_INVALID_TEXT`, `CXK_TOO_LARGE`, `CXK_BUFFER_TOO_SMALL` (no room
 *   for a NUL), `CXK_NO_MEMORY`.
 *
 * ```c
 * const char *groups[] = {"prod-us"};
 * char why[CXK_LINE_SIZE];
 * cxk_question question = CXK_QUESTION_INIT;
 * cxk_decision decision;
 * question.kind = CXK_ASK_ASSET;
 * question.groups = groups;
 * question.group_count = 1;
 * if (cxk_decide(definitions, 0, &question, &decision, why, sizeof why) != CXK_OK) puts(why);
 * ```
 *
 * # Safety
 *
 * `definitions` comes from `cxk_definitions_load()` and lives. `question` points to a structure of
 * the size that it states, in which the pointers that its kind needs lead to as many readable
 * values as the counts say, and texts end with NUL. `out` may be written. `text` is NULL, or
 * `text_size` bytes there may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_decide(const struct cxk_definitions *CXK_NONNULL definitions,
                      size_t at,
                      const struct cxk_question *CXK_NONNULL question,
                      struct cxk_decision *CXK_NONNULL out,
                      char *CXK_NULLABLE text,
                      size_t text_size);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/** No place of a definition, and no count: what a call sets that fails, where 0 would be a place. */
#define CXK_NOWHERE SIZE_MAX

/** A key to fill; it never expires unless that is set. */
#define CXK_KEY_INIT {sizeof(cxk_key), 0, 0, NULL, 0, CXK_NEVER, 0, 0, 0}

/** Options of a verifier with all defaults. */
#define CXK_VERIFIER_OPTIONS_INIT {sizeof(cxk_verifier_options), 0, 0}

/** Options of a replay guard to fill: `entries` and `started_ms`. */
#define CXK_REPLAY_GUARD_OPTIONS_INIT {sizeof(cxk_replay_guard_options), 0, 0, 0, 0, 0, 0, 0}

/** A question to fill. */
#define CXK_QUESTION_INIT \
  {sizeof(cxk_question), 0, NULL, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, 0, 0}

/**
 * Whether the library that the program runs with has this header's binary interface: `CXK_OK`,
 * or `CXK_ABI_MISMATCH`.
 *
 * - Threads: any.
 *
 * ```c
 * if (cxk_abi_check() != CXK_OK) abort();
 * ```
 */
static inline cxk_status cxk_abi_check(void) {
  return cxk_abi_version() == CXK_ABI_VERSION ? CXK_OK : CXK_ABI_MISMATCH;
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#endif /* CORTEXKEY_H */
