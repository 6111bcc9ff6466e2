// Encoding with a model's tokenizer: megabytes a second on one thread, the best of several passes.
//   bench_tokenizers SOURCE TEXT [PASSES]
// SOURCE: folder with tokenizer files or a .gguf file; TEXT: a UTF-8 file, encoded in documents of about 4 KB, cut at line ends.
// Prints one line of JSON: {"bytes": ..., "ids": ..., "seconds": ..., "mb_per_second": ...}. tokenizers.py puts it beside other libraries.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "convert/text/draft_tokenizer.h"
#include "convert/text/tokenizer_reader.h"
#include "linnet/tokenizer.h"

namespace {

using namespace linnet;

std::vector<std::string_view> documents(const std::string& text) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 4096 < text.size() ? text.find('\n', at + 4096) : std::string::npos;
    end = end == std::string::npos ? text.size() : end + 1;
    parts.push_back(std::string_view(text).substr(at, end - at));
    at = end;
  }
  return parts;
}

int run(const char* source, const char* path, int passes) {
  std::optional<convert::TokenizerDraft> draft = convert::read_tokenizer(source);
  if (!draft) throw convert::Error(fmt::format("{}: there is no tokenizer", source));
  draft->max_length = 0;
  const Tokenizer tokenizer = convert::open_draft(*draft);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw convert::Error(fmt::format("{}: it cannot be read", path));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  double best = 1e30;
  size_t count = 0;
  Ids ids;
  for (int pass = 0; pass < passes; ++pass) {
    const auto start = std::chrono::steady_clock::now();
    count = 0;
    for (std::string_view document : documents(text)) {
      ids.clear();
      const Status status = tokenizer.encode(document, {.add_special = false}, &ids);
      if (!status.ok()) throw convert::Error(status.message());
      count += ids.size();
    }
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  fmt::print("{{\"bytes\": {}, \"ids\": {}, \"seconds\": {:.4f}, \"mb_per_second\": {:.2f}}}\n", text.size(), count, best,
             static_cast<double>(text.size()) * 1e-6 / best);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return fmt::print(stderr, "usage: bench_tokenizers SOURCE TEXT [PASSES]\n"), 2;
  try {
    return run(argv[1], argv[2], argc > 3 ? std::max(1, std::atoi(argv[3])) : 3);
  } catch (const std::exception& error) {
    return fmt::print(stderr, "bench_tokenizers: {}\n", error.what()), 1;
  }
}
