// The fuzz target without libFuzzer: every seed as it is, then changed in a few places, the same changes in every run.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kRounds = 2000;  // changed copies of each seed

uint64_t g_state = 1;
size_t below(size_t limit) {
  g_state = g_state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<size_t>((g_state >> 33) % limit);
}

void change(std::vector<uint8_t>& bytes) {
  static const uint32_t kInteresting[] = {0,      1,      2,      0x7f,    0x80,       0xff,       0x100,
                                          0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff};
  const size_t at = below(bytes.size());
  switch (below(4)) {
    case 0:
      bytes[at] ^= static_cast<uint8_t>(1 << below(8));
      break;
    case 1:
      bytes[at] = static_cast<uint8_t>(below(256));
      break;
    case 2:
      for (size_t i = 0; i < 4 && at / 4 * 4 + i < bytes.size(); ++i)
        bytes[at / 4 * 4 + i] = static_cast<uint8_t>(kInteresting[below(std::size(kInteresting))] >> (8 * i));
      break;
    default:
      const size_t from = below(bytes.size()), count = std::min({below(16) + 1, bytes.size() - from, bytes.size() - at});
      std::copy_n(std::vector<uint8_t>(bytes.begin() + static_cast<long>(from), bytes.begin() + static_cast<long>(from + count)).begin(),
                  count, bytes.begin() + static_cast<long>(at));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]), 2;
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  if (paths.empty()) return std::fprintf(stderr, "%s: no seeds\n", argv[1]), 1;
  for (const std::string& path : paths) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<uint8_t> seed{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    LLVMFuzzerTestOneInput(seed.data(), seed.size());
    for (int round = 0; round < kRounds && !seed.empty(); ++round) {
      std::vector<uint8_t> bytes = seed;
      for (size_t changes = 1 + below(4); changes > 0; --changes) change(bytes);
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
  }
  std::printf("%zu seeds, %d changed copies of each\n", paths.size(), kRounds);
  return 0;
}
