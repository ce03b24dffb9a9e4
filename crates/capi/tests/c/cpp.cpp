// The C++ header: the known answers of vectors/auth.tsv, which comes in on standard input, through
// owning types; handles that move; secrets that are wiped.
//
//   cpp FOLDER      with after.ckc
#include <cortexkey.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <type_traits>
#include <vector>

#include <cortexkey.hpp>

namespace {

int mistakes = 0;

void check(bool good, const char *what) {
  if (good) return;
  std::cout << "not ok: " << what << "\n";
  mistakes++;
}

std::uint64_t number(const std::string &text) { return std::stoull(text); }

cxk_level level(const std::string &text) {
  return text == "advanced" ? CXK_LEVEL_ADVANCED : CXK_LEVEL_STANDARD;
}

std::string unhex(const std::string &digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

void signs(const std::vector<std::string> &field) {
  const auto signer = cortexkey::Signer::make(number(field[2]), level(field[3]), field[4]);
  check(bool(signer), field[1].c_str());
  const bool advanced = field[3] == "advanced";
  const auto headers = signer->headers_at(advanced ? field[5] : "", advanced ? number(field[6]) : 0);
  check(headers && headers->authorization == field[7], field[1].c_str());
}

void verifies(const std::vector<std::string> &field) {
  auto keyring = cortexkey::Keyring::make();
  cxk_verifier_options options = CXK_VERIFIER_OPTIONS_INIT;
  options.flags = CXK_VERIFIER_OWN_GUARD;
  options.skew_ms = number(field[4]);
  const auto verifier = cortexkey::Verifier::make(options, *keyring, nullptr);
  check(keyring && verifier, "a verifier");
  if (field[5] != "-") {
    const std::uint64_t never = CXK_NEVER;
    check(keyring->put(number(field[5]), level(field[6]), field[7],
                       field[8] == "-" ? never : number(field[8])) == CXK_OK, "put");
    if (field[9] == "1") check(keyring->revoke(number(field[5])) == CXK_OK, "revoke");
  }
  std::vector<std::pair<std::string, std::string>> texts;
  std::vector<cxk_header> headers;
  for (std::size_t i = 10; i < field.size(); i++) {
    const auto at = field[i].find('=');
    texts.emplace_back(field[i].substr(0, at), unhex(field[i].substr(at + 1)));
  }
  for (const auto &[name, value] : texts) headers.push_back(cortexkey::header(name, value));
  const auto principal = verifier->verify(headers.data(), headers.size(), number(field[3]));
  const std::string verdict = principal ? "accept" : principal.name();
  check(verdict == field[2], field[1].c_str());
  check(principal->key_id == (principal ? number(field[5]) : 0), field[1].c_str());
}

void owns() {
  static_assert(!std::is_copy_constructible_v<cortexkey::Signer>);
  static_assert(std::is_nothrow_move_constructible_v<cortexkey::Signer>);
  static_assert(!std::is_copy_constructible_v<cortexkey::Headers>);
  auto made = cortexkey::Signer::make(7, CXK_LEVEL_STANDARD, "a-key");
  cortexkey::Signer signer = *std::move(made);
  check(made->get() == nullptr && signer.get() != nullptr, "a handle moves");
  auto first = signer.headers();
  auto second = *std::move(first);
  check(std::string(second.authorization) == "a-key", "headers move");
  check(first->authorization[0] == 0, "and what they leave is wiped");
  check(made->headers().status() == CXK_NULL_ARG, "nothing signs with nothing");
  check(!cortexkey::Signer::make(0, CXK_LEVEL_STANDARD, "a-key"), "no key id");
}

std::string read(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void decides(const std::string &folder) {
  const auto definitions = cortexkey::Definitions::load(read(folder + "/after.ckc"));
  check(bool(definitions), "load");
  const auto at = definitions->find("eu/export");
  check(at && *at == *definitions->find_id(17), "find");
  check(std::string(definitions->at(*at)->name) == "export", "at");
  const char *const groups[] = {"prod-ap"};
  cxk_question question = CXK_QUESTION_INIT;
  question.kind = CXK_ASK_ASSET;
  question.groups = groups;
  question.group_count = 1;
  std::string why;
  check(definitions->decide(*at, question, &why) == CXK_DECISION_REFUSED, "decide");
  check(why.find("prod-ap") != std::string::npos, why.c_str());
  check(definitions->decide(*at, question) == CXK_DECISION_REFUSED, "decide in silence");
  const auto decision = definitions->decision(*at, question, &why);
  check(decision.decided == 1 && decision.if_enforced == CXK_DECISION_REFUSED, "decision");
  const auto none = definitions->decision(CXK_NOWHERE, question);
  check(none.answer == CXK_NOT_FOUND && none.if_enforced == CXK_NOT_FOUND, "no decision");
  check(!definitions->find("nobody") && *definitions->find("nobody") == CXK_NOWHERE, "nobody");
  const auto before = cortexkey::Definitions::load(read(folder + "/before.ckc"));
  std::string lines;
  const auto gains = before->compare(*definitions, &lines);
  check(gains && *gains == 6 && lines.find("new-key\t") != std::string::npos, "compare");
}

void verifies_batches() {
  const std::uint64_t now_ms = 1700000000000;
  auto keyring = cortexkey::Keyring::make();
  cxk_replay_guard_options options = CXK_REPLAY_GUARD_OPTIONS_INIT;
  options.entries = 1000;
  options.flags = CXK_REPLAY_GUARD_FIRST;
  auto guard = cortexkey::ReplayGuard::make(options);
  const cxk_verifier_options defaults = CXK_VERIFIER_OPTIONS_INIT;
  const auto verifier = cortexkey::Verifier::make(defaults, *keyring, &*guard);
  check(keyring->put(7, CXK_LEVEL_ADVANCED, "a-key", CXK_NEVER) == CXK_OK, "put");
  const auto signer = cortexkey::Signer::make(7, CXK_LEVEL_ADVANCED, "a-key");
  const auto made = signer->headers_at(std::string(64, 'n'), now_ms);
  const cxk_header headers[] = {cortexkey::header(CXK_HEADER_KEY_ID, made->key_id),
                                cortexkey::header(CXK_HEADER_AUTHORIZATION, made->authorization),
                                cortexkey::header(CXK_HEADER_NONCE, made->nonce),
                                cortexkey::header(CXK_HEADER_TIMESTAMP, made->timestamp)};
  const cxk_request requests[] = {{headers, 4}, {headers, 4}, {headers, 2}};
  cxk_status statuses[3];
  cxk_principal principals[3];
  check(verifier->verify_batch(requests, 3, now_ms, statuses, principals) == CXK_SOME_REFUSED,
        "verify_batch");
  check(statuses[0] == CXK_OK && principals[0].key_id == 7, "the first");
  check(statuses[1] == CXK_VERDICT_REPLAYED && principals[1].key_id == 0, "the second");
}

void helps() {
  const auto nonce = cortexkey::nonce();
  check(nonce && nonce->size() == 64 && *nonce != *cortexkey::nonce(), "nonce");
  check(cortexkey::equal(*nonce, *nonce) && !cortexkey::equal(*nonce, "n"), "equal");
  check(!cortexkey::equal("", ""), "nothing equals nothing");
  const auto expiry = cortexkey::expiry_at(1800000000000, 1799999999999);
  check(expiry && expiry->state == CXK_EXPIRY_WITHIN_DAY, "expiry_at");
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  owns();
  decides(argv[1]);
  verifies_batches();
  helps();
  int count = 0;
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> field;
    std::istringstream fields(line);
    for (std::string word; std::getline(fields, word, '\t');) field.push_back(word);
    field[0] == "sign" ? signs(field) : verifies(field);
    count++;
  }
  std::cout << count << " vectors, " << mistakes << " mistakes\n";
  return mistakes == 0 && count > 0 ? 0 : 1;
}
