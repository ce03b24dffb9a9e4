// Signs a request, verifies it, and refuses a replay of the same headers.
//
//   cmake -S . -B build && cmake --build build && build/sign_and_verify
#include <chrono>
#include <cortexkey.hpp>
#include <iostream>
#include <string_view>

namespace {

constexpr std::string_view key = "a-key-of-the-example";

std::uint64_t now_ms() {
  using namespace std::chrono;
  const auto now = system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(duration_cast<milliseconds>(now).count());
}

template <typename T>
int fail(const cortexkey::Result<T> &result) {
  std::cerr << result.message() << "\n";
  return 2;
}

}  // namespace

int main() {
  // What a client does. A program that signs often keeps the signer; the headers are new each time.
  const auto signer = cortexkey::Signer::make(7, CXK_LEVEL_ADVANCED, key);
  if (!signer) return fail(signer);
  const auto sent = signer->headers();
  if (!sent) return fail(sent);

  // What a service keeps: its keys, and one replay guard for all of them.
  auto keyring = cortexkey::Keyring::make();
  if (!keyring) return fail(keyring);
  cxk_key stored = CXK_KEY_INIT;
  stored.key_id = 7;
  stored.level = CXK_LEVEL_ADVANCED;
  stored.key = key.data();
  stored.key_len = key.size();
  if (keyring->put(stored) != CXK_OK) return 2;
  cxk_replay_guard_options options = CXK_REPLAY_GUARD_OPTIONS_INIT;
  options.entries = 12000;                 // 100 requests a second, for twice the skew of a minute
  options.flags = CXK_REPLAY_GUARD_FIRST;  // after a restart set started_ms instead
  auto guard = cortexkey::ReplayGuard::make(options);
  if (!guard) return fail(guard);
  const cxk_verifier_options defaults = CXK_VERIFIER_OPTIONS_INIT;
  const auto verifier = cortexkey::Verifier::make(defaults, *keyring, &*guard);
  if (!verifier) return fail(verifier);

  const cxk_header received[] = {
      cortexkey::header(CXK_HEADER_KEY_ID, sent->key_id),
      cortexkey::header(CXK_HEADER_AUTHORIZATION, sent->authorization),
      cortexkey::header(CXK_HEADER_NONCE, sent->nonce),
      cortexkey::header(CXK_HEADER_TIMESTAMP, sent->timestamp),
  };
  const auto first = verifier->verify(received, 4, now_ms());
  std::cout << "first: " << first.name() << ", key " << first->key_id << "\n";
  // The name is for the log. To the client every refusal is the same 401.
  const auto second = verifier->verify(received, 4, now_ms());
  std::cout << "second: " << second.name() << "\n";
  return first && second.status() == CXK_VERDICT_REPLAYED ? 0 : 1;
}
