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
  const auto keyring = cortexkey::Keyring::make();
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

void decides(const std::string &folder) {
  std::ifstream file(folder + "/after.ckc", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto definitions = cortexkey::Definitions::load(bytes);
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
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  owns();
  decides(argv[1]);
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
