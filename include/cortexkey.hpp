/**
 * @file cortexkey.hpp
 * The C library for C++17 and later: handles that free themselves, secrets that wipe themselves,
 * and results instead of output arguments. Header only. Functions that return or fill a std::string
 * may throw std::bad_alloc; nothing else throws.
 *
 * ```cpp
 * const auto signer = cortexkey::Signer::make(7, CXK_LEVEL_ADVANCED, key);
 * if (!signer) return fail(signer.message());
 * const auto headers = signer->headers();  // sign again for every attempt
 * if (headers) send(*headers);
 * ```
 *
 * Structures and statuses are those of cortexkey.h, which documents units, sizes, errors and thread
 * safety of each function. Times are in milliseconds since 1970.
 */
#ifndef CORTEXKEY_HPP
#define CORTEXKEY_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cortexkey.h"

namespace cortexkey {

/** A value, or the status that explains why there is none. Check it before you use the value. */
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(cxk_status status, T value) : status_(status), value_(std::move(value)) {}

  /** Whether there is a value. */
  explicit operator bool() const noexcept { return status_ == CXK_OK; }
  /** Returns CXK_OK or the error. */
  cxk_status status() const noexcept { return status_; }
  /** Returns the stable code of the status, such as "timestamp-stale". */
  const char *name() const noexcept { return cxk_status_name(status_); }
  /** Returns a description of the status for people. */
  const char *message() const noexcept { return cxk_status_message(status_); }
  /**
   * Returns the value. If there is none, it is empty, all zeros, or CXK_NOWHERE for an index or
   * count.
   */
  const T &operator*() const &noexcept { return value_; }
  T &operator*() &noexcept { return value_; }
  T &&operator*() &&noexcept { return std::move(value_); }
  const T *operator->() const noexcept { return &value_; }
  T *operator->() noexcept { return &value_; }

 private:
  cxk_status status_;
  T value_;
};

/** A structure that may hold a secret. It is wiped when it is destroyed or moved from. */
template <typename T>
struct Wiped : T {
  Wiped() noexcept : T() {}
  Wiped(Wiped &&other) noexcept : T(other) { cxk_wipe(static_cast<T *>(&other), sizeof(T)); }
  Wiped &operator=(Wiped &&other) noexcept {
    if (this != &other) {
      static_cast<T &>(*this) = other;
      cxk_wipe(static_cast<T *>(&other), sizeof(T));
    }
    return *this;
  }
  Wiped(const Wiped &) = delete;
  Wiped &operator=(const Wiped &) = delete;
  ~Wiped() { cxk_wipe(static_cast<T *>(this), sizeof(T)); }
};

using Headers = Wiped<cxk_headers>;
using HeaderLines = Wiped<cxk_header_lines>;

namespace detail {

template <typename T, void (*free)(T *)>
struct Free {
  void operator()(T *handle) const noexcept { free(handle); }
};

/** Owns a handle and frees it. It can be moved, not copied. */
template <typename T, void (*free)(T *)>
class Owner {
 public:
  Owner() = default;
  explicit Owner(T *handle) noexcept : handle_(handle) {}
  /** Returns the C handle, which this object still owns; null if there is none. */
  T *get() const noexcept { return handle_.get(); }

 private:
  std::unique_ptr<T, Free<T, free>> handle_;
};

}  // namespace detail

/** Signs requests with one key. Any number of threads may use it at once. */
class Signer : public detail::Owner<cxk_signer, cxk_signer_free> {
 public:
  using Owner::Owner;

  /** Creates a signer for a key of 1 to 256 bytes; see cxk_signer_new(). */
  static Result<Signer> make(std::uint64_t key_id, cxk_level level, std::string_view key) noexcept {
    cxk_signer *made = nullptr;
    const cxk_status status = cxk_signer_new(key_id, level, key.data(), key.size(), &made);
    return {status, Signer(made)};
  }
  /** Signs one attempt with a new nonce and the system time. */
  Result<Headers> headers() const noexcept {
    Headers out;
    const cxk_status status = cxk_signer_headers(get(), &out);
    return {status, std::move(out)};
  }
  /** Signs with the given nonce and time in milliseconds, for tests. */
  Result<Headers> headers_at(std::string_view nonce, std::uint64_t timestamp_ms) const noexcept {
    Headers out;
    const cxk_status status =
        cxk_signer_headers_at(get(), nonce.data(), nonce.size(), timestamp_ms, &out);
    return {status, std::move(out)};
  }
  /** Signs like headers(), and returns lines `Name: value`. */
  Result<HeaderLines> header_lines() const noexcept {
    HeaderLines out;
    const cxk_status status = cxk_signer_header_lines(get(), &out);
    return {status, std::move(out)};
  }
  /** Signs `count` requests of an Advanced key, at most CXK_BATCH_MAX, into the array `out`. */
  [[nodiscard]] cxk_status sign_batch(cxk_signature *out, std::size_t count) const noexcept {
    return cxk_signer_sign_batch(get(), out, count);
  }
};

/** The keys that verifiers know. They may change while others verify. */
class Keyring : public detail::Owner<cxk_keyring, cxk_keyring_free> {
 public:
  using Owner::Owner;

  /** Creates an empty keyring. */
  static Result<Keyring> make() noexcept {
    cxk_keyring *made = nullptr;
    const cxk_status status = cxk_keyring_new(&made);
    return {status, Keyring(made)};
  }
  /** Adds a key, or replaces the key with the same id. */
  [[nodiscard]] cxk_status put(const cxk_key &key) noexcept {
    return cxk_keyring_put(get(), &key);
  }
  /** Adds or replaces a key; `expires_ms` may be CXK_NEVER. */
  [[nodiscard]] cxk_status put(std::uint64_t key_id, cxk_level level, std::string_view key,
                               std::uint64_t expires_ms) noexcept {
    cxk_key entry = CXK_KEY_INIT;
    entry.key_id = key_id;
    entry.level = level;
    entry.key = key.data();
    entry.key_len = key.size();
    entry.expires_ms = expires_ms;
    return put(entry);
  }
  /** Revokes a key; its requests are then refused as `key-revoked`. */
  [[nodiscard]] cxk_status revoke(std::uint64_t key_id) noexcept {
    return cxk_keyring_revoke(get(), key_id);
  }
  /** Removes and wipes a key; its requests are then refused as `unknown-key`. */
  [[nodiscard]] cxk_status remove(std::uint64_t key_id) noexcept {
    return cxk_keyring_remove(get(), key_id);
  }
};

/** Remembers which requests were accepted, within this process. */
class ReplayGuard : public detail::Owner<cxk_replay_guard, cxk_replay_guard_free> {
 public:
  using Owner::Owner;

  /** Creates a guard and allocates its memory; see cxk_replay_guard_options for the sizes. */
  static Result<ReplayGuard> make(const cxk_replay_guard_options &options) noexcept {
    cxk_replay_guard *made = nullptr;
    const cxk_status status = cxk_replay_guard_new(&options, &made);
    return {status, ReplayGuard(made)};
  }
};

/** Verifies requests. Any number of threads may use it at once. */
class Verifier : public detail::Owner<cxk_verifier, cxk_verifier_free> {
 public:
  using Owner::Owner;

  /**
   * Creates a verifier. `guard` is null only with CXK_VERIFIER_OWN_GUARD. Keyring and guard need not
   * outlive the verifier.
   */
  static Result<Verifier> make(const cxk_verifier_options &options, const Keyring &keyring,
                               ReplayGuard *guard) noexcept {
    cxk_verifier *made = nullptr;
    const cxk_status status = cxk_verifier_new(
        &options, keyring.get(), guard == nullptr ? nullptr : guard->get(), &made);
    return {status, Verifier(made)};
  }
  /**
   * Verifies a request: returns its sender, or the reason for a refusal. Send the same response for
   * every refusal.
   */
  Result<cxk_principal> verify(const cxk_header *headers, std::size_t count,
                               std::uint64_t now_ms) const noexcept {
    cxk_principal out;
    const cxk_status status = cxk_verify(get(), headers, count, now_ms, &out);
    return {status, out};
  }
  /** Verifies many requests as of `now_ms`. Returns CXK_SOME_REFUSED if one is refused. */
  [[nodiscard]] cxk_status verify_batch(const cxk_request *requests, std::size_t count,
                                        std::uint64_t now_ms, cxk_status *statuses,
                                        cxk_principal *principals) const noexcept {
    return cxk_verify_batch(get(), requests, count, now_ms, statuses, principals);
  }
};

/** Creates a header for Verifier::verify(). Both strings must outlive that call. */
inline cxk_header header(std::string_view name, std::string_view value) noexcept {
  return {name.data(), name.size(), value.data(), value.size()};
}

/** Key definitions from `cortexkey compile`. Any number of threads may use them at once. */
class Definitions : public detail::Owner<cxk_definitions, cxk_definitions_free> {
 public:
  using Owner::Owner;

  /** Loads compiled definitions and keeps a copy. */
  static Result<Definitions> load(std::string_view bytes) noexcept {
    cxk_definitions *made = nullptr;
    const cxk_status status = cxk_definitions_load(bytes.data(), bytes.size(), &made);
    return {status, Definitions(made)};
  }
  /** Finds the index of a definition by its name, or by `tenant/name`. */
  Result<std::size_t> find(std::string_view name) const noexcept {
    std::size_t at = CXK_NOWHERE;
    const cxk_status status = cxk_definitions_find(get(), name.data(), name.size(), &at);
    return {status, at};
  }
  /** Finds the index of the definition for a key id. */
  Result<std::size_t> find_id(std::uint64_t key_id) const noexcept {
    std::size_t at = CXK_NOWHERE;
    const cxk_status status = cxk_definitions_find_id(get(), key_id, &at);
    return {status, at};
  }
  /** Returns the definition at an index, counted from 0. */
  Result<cxk_definition> at(std::size_t index) const noexcept {
    cxk_definition out;
    const cxk_status status = cxk_definitions_get(get(), index, &out);
    return {status, out};
  }
  /** Returns CXK_OK if the answer is yes; `why`, if not null, receives the explanation. */
  [[nodiscard]] cxk_status decide(std::size_t index, const cxk_question &question,
                                  std::string *why = nullptr) const {
    return decision(index, question, why).answer;
  }
  /** Decides like decide(), and also returns the answer that applies if scopes are enforced. */
  [[nodiscard]] cxk_decision decision(std::size_t index, const cxk_question &question,
                                      std::string *why = nullptr) const {
    cxk_decision out;
    if (why == nullptr) {
      out.answer = cxk_decide(get(), index, &question, &out, nullptr, 0);
      return out;
    }
    why->assign(CXK_LINE_SIZE, '\0');
    out.answer = cxk_decide(get(), index, &question, &out, &(*why)[0], why->size());
    why->resize(why->find('\0'));
    return out;
  }
  /**
   * Counts what keys gain between these definitions and `later`; CXK_NOWHERE if the call fails.
   * `lines`, if not null, receives one line for each gain, truncated to `max_bytes` - 1 bytes.
   */
  Result<std::size_t> compare(const Definitions &later, std::string *lines = nullptr,
                              std::size_t max_bytes = 65536) const {
    std::size_t gains = CXK_NOWHERE;
    std::string text(max_bytes, '\0');
    const cxk_status status = cxk_compare(get(), later.get(), &text[0], text.size(), &gains);
    if (lines != nullptr) lines->assign(text.c_str());
    return {status, gains};
  }
};

/** Computes the expiry state of a key at a given time. Both are in milliseconds since 1970. */
inline Result<cxk_expiry> expiry_at(std::uint64_t expires_ms, std::uint64_t now_ms) noexcept {
  cxk_expiry out;
  const cxk_status status = cxk_expiry_at(expires_ms, now_ms, &out);
  return {status, out};
}

/** Draws a nonce of 64 letters and digits. */
inline Result<std::string> nonce() {
  char out[CXK_NONCE_SIZE];
  const cxk_status status = cxk_nonce(out, sizeof out);
  return {status, std::string(out)};
}

/** Compares two strings. The time depends only on their lengths. Empty strings are never equal. */
inline bool equal(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && cxk_equal(a.data(), b.data(), a.size()) == 1;
}

}  // namespace cortexkey

#endif  // CORTEXKEY_HPP
