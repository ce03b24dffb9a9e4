/**
 * @file cortexkey.h
 * Signs requests to Palo Alto Networks Cortex APIs with Standard and Advanced API keys.
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
 *   cxk_signer_free(signer), cxk_header_lines_wipe(&lines);
 *   curl_easy_setopt(curl, CURLOPT_URL, url), curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "{}");
 *   return curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list) || curl_easy_perform(curl);
 * }
 * ```
 *
 * Link with `pkg-config --libs cortexkey`.
 *
 * - Status: every call that can fail returns `CXK_OK` (0) or a number below zero, and has then
 *   set its output to zeros. `cxk_status_name()` and `cxk_status_message()` put it into words.
 * - Memory: the only memory that the library hands out is a handle, given back to the `_free` of
 *   its type. Answers go to fixed-size structures of the caller's.
 * - Threads: a handle that a function takes as pointer to const may be used by any number of
 *   threads at once. `_free` needs the handle for itself. There is no global state, nothing to
 *   initialise, and no last error per thread.
 * - NULL: only what is marked `CXK_NULLABLE` may be NULL; elsewhere the answer is `CXK_NULL_ARG`.
 * - Handles: a pointer to a handle of another type is seen and refused (`CXK_WRONG_HANDLE`). A
 *   handle used after its end is a mistake that cannot always be seen.
 * - Secrets: a signer, and the headers of a Standard key, can sign. They are wiped by `_free` and
 *   `_wipe`; they are not locked into memory nor kept out of core dumps.
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
 * Signs requests with one key. It keeps what can sign, and wipes it in `cxk_signer_free()`.
 *
 * It never changes, so any number of threads may sign with it at once. To change a key, make a
 * new signer and free the old one when nobody uses it any more.
 */
typedef struct cxk_signer cxk_signer;

/**
 * What a call answers: `CXK_OK`, or a number below zero.
 *
 * -1 to -99: wrong use, or the environment failed. -101 to -199: a verifier refused a request
 * (`CXK_VERDICT_...`). -900: a fault in the library. A number keeps its meaning for good.
 */
typedef int32_t cxk_status;

/**
 * The header values of one request, each ended by NUL; all zeros when a call fails.
 *
 * With a Standard key `authorization` is the key itself, and `nonce` and `timestamp` are empty:
 * such headers are not sent. Clear it with `cxk_headers_wipe()` when it has been used.
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
 * Clear it with `cxk_header_lines_wipe()` when it has been used.
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
 * The Security Level that a key was generated with. The length of a key does not tell it.
 */
typedef uint32_t cxk_level;

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
 * `sizeof(cxk_headers)` in the library, for languages that do not read this header.
 *
 * - Threads: any.
 * - Errors: none.
 *
 * ```c
 * if (cxk_headers_size() != sizeof(cxk_headers)) abort();
 * ```
 */
CXK_API CXK_MUST_USE size_t cxk_headers_size(void);

/**
 * `sizeof(cxk_header_lines)` in the library, for languages that do not read this header.
 *
 * - Threads: any.
 * - Errors: none.
 *
 * ```c
 * if (cxk_header_lines_size() != sizeof(cxk_header_lines)) abort();
 * ```
 */
CXK_API CXK_MUST_USE size_t cxk_header_lines_size(void);

/**
 * Overwrites headers with zeros. A compiler does not leave it out, as it may a `memset()`.
 *
 * - Ownership: the memory stays the caller's. NULL is left alone.
 * - Threads: any, while no other uses the same memory.
 * - Errors: none.
 *
 * ```c
 * cxk_headers headers;
 * if (cxk_signer_headers(signer, &headers) == CXK_OK) send(&headers);
 * cxk_headers_wipe(&headers);
 * ```
 *
 * # Safety
 *
 * `headers` is NULL or points to memory of its type.
 */
CXK_API void cxk_headers_wipe(struct cxk_headers *CXK_NULLABLE headers);

/**
 * Overwrites header lines with zeros. A compiler does not leave it out, as it may a `memset()`.
 *
 * - Ownership: the memory stays the caller's. NULL is left alone.
 * - Threads: any, while no other uses the same memory.
 * - Errors: none.
 *
 * ```c
 * cxk_header_lines lines;
 * if (cxk_signer_header_lines(signer, &lines) == CXK_OK) puts(lines.line[0]);
 * cxk_header_lines_wipe(&lines);
 * ```
 *
 * # Safety
 *
 * `lines` is NULL or points to memory of its type.
 */
CXK_API void cxk_header_lines_wipe(struct cxk_header_lines *CXK_NULLABLE lines);

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
 * cxk_header_lines_wipe(&lines);
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
 * As `cxk_signer_headers_at()`, in lines `Name: value`.
 *
 * - Ownership: `out` is the caller's memory; all zeros when the call fails.
 * - Threads: any number at once with one signer, each with its own `out`.
 * - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_INVALID_NONCE`,
 *   `CXK_INVALID_TIMESTAMP`.
 *
 * ```c
 * cxk_header_lines lines;
 * const char nonce[] = "0000000000000000000000000000000000000000000000000000000000000000";
 * if (cxk_signer_header_lines_at(signer, nonce, 64, 1700000000000u, &lines) == CXK_OK)
 *   puts(lines.line[1]);
 * ```
 *
 * # Safety
 *
 * `signer` comes from `cxk_signer_new()` and lives. `nonce` points to `nonce_len` readable
 * bytes. `out` may be written.
 */
CXK_API
CXK_MUST_USE
cxk_status cxk_signer_header_lines_at(const struct cxk_signer *CXK_NONNULL signer,
                                      const char *CXK_NULLABLE nonce,
                                      size_t nonce_len,
                                      uint64_t timestamp_ms,
                                      struct cxk_header_lines *CXK_NONNULL out);

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

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

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
