// What may this key see? decide FILE KEY ASSET-GROUP...
// FILE is what `cortexkey compile` wrote; KEY is a name or tenant/name.
//   c++ -std=c++17 decide.cpp $(pkg-config --cflags --libs cortexkey) -o decide
#include <cortexkey.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

int main(int argc, char **argv) {
  if (argc < 3) {
    std::cerr << "usage: decide FILE KEY ASSET-GROUP...\n";
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto definitions = cortexkey::Definitions::load(bytes);
  if (!definitions) {
    std::cerr << argv[1] << ": " << definitions.message() << "\n";
    return 2;
  }
  const auto at = definitions->find(argv[2]);
  if (!at) {
    std::cerr << argv[2] << ": " << at.message() << "\n";
    return 2;
  }
  cxk_question question = CXK_QUESTION_INIT;
  question.kind = CXK_ASK_ASSET;
  question.groups = argv + 3;
  question.group_count = static_cast<std::size_t>(argc - 3);
  std::string why;
  const bool allowed = definitions->decide(*at, question, &why) == CXK_OK;  // nothing else is a yes
  std::cout << why << "\n";
  return allowed ? 0 : 1;
}
