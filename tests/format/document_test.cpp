// FORMAT.md is the specification for others: what it says is compared with what the library does.
#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "core/limits.h"
#include "format/header.h"
#include "format/program.h"
#include "kernels/kernels.h"
#include "kernels/layout.h"

namespace limits = linnet::core::limits;
using linnet::format::Header;

namespace {

std::string document() {
  std::ostringstream text;
  text << std::ifstream(LINNET_SOURCE_DIR "/schema/FORMAT.md").rdbuf();
  return text.str();
}

// name -> value of every "| ... | value | name |" row.
std::map<std::string, uint64_t> quoted_limits(const std::string& text) {
  std::map<std::string, uint64_t> all;
  const std::regex row("\\| ([0-9]+) \\| (k[A-Za-z]+) \\|");
  for (auto at = std::sregex_iterator(text.begin(), text.end(), row); at != std::sregex_iterator(); ++at)
    all[(*at)[2]] = std::stoull((*at)[1]);
  return all;
}

}  // namespace

TEST_CASE("FORMAT.md quotes every limit of the file as it is") {
  const std::map<std::string, uint64_t> expected = {{"kMetadataBytes", limits::kMetadataBytes},
                                                    {"kTables", limits::kTables},
                                                    {"kNesting", limits::kNesting},
                                                    {"kRequirements", limits::kRequirements},
                                                    {"kNameBytes", limits::kNameBytes},
                                                    {"kTensors", limits::kTensors},
                                                    {"kTensorRows", limits::kTensorRows},
                                                    {"kColumns", limits::kColumns},
                                                    {"kDenseColumns", limits::kDenseColumns},
                                                    {"kPrograms", limits::kPrograms},
                                                    {"kOperations", limits::kOperations},
                                                    {"kValues", limits::kValues},
                                                    {"kOperands", limits::kOperands},
                                                    {"kPorts", limits::kPorts},
                                                    {"kRowFactor", limits::kRowFactor},
                                                    {"kStates", limits::kStates},
                                                    {"kHeads", limits::kHeads},
                                                    {"kHeadWidth", limits::kHeadWidth},
                                                    {"kExperts", limits::kExperts},
                                                    {"kVocabulary", limits::kVocabulary},
                                                    {"kTokenBytes", limits::kTokenBytes},
                                                    {"kStages", limits::kStages},
                                                    {"kLabels", limits::kLabels},
                                                    {"kPrompts", limits::kPrompts},
                                                    {"kBeams", limits::kBeams},
                                                    {"kTargets", limits::kTargets},
                                                    {"kAdapterRank", limits::kAdapterRank},
                                                    {"kContext", limits::kContext}};
  CHECK(quoted_limits(document()) == expected);
}

TEST_CASE("FORMAT.md draws the header as it is") {
  const std::string text = document();
  auto drawn_at = [&](size_t offset, const char* field) {
    std::smatch match;
    const std::regex line("(byte)? +([0-9]+)  " + std::string(field) + " ");
    return std::regex_search(text, match, line) && std::stoull(match[2]) == offset;
  };
  CHECK(drawn_at(offsetof(Header, magic), "magic"));
  CHECK(drawn_at(offsetof(Header, version), "version"));
  CHECK(drawn_at(offsetof(Header, header_bytes), "header_bytes"));
  CHECK(drawn_at(offsetof(Header, file_bytes), "file_bytes"));
  CHECK(drawn_at(offsetof(Header, metadata_offset), "metadata_offset"));
  CHECK(drawn_at(offsetof(Header, metadata_bytes), "metadata_bytes"));
  CHECK(drawn_at(offsetof(Header, weight_offset), "weight_offset"));
  CHECK(drawn_at(offsetof(Header, metadata_checksum), "metadata_checksum"));
  CHECK(drawn_at(offsetof(Header, header_checksum), "header_checksum"));
  CHECK(linnet::format::kWeightAlignment == 16384);
  CHECK(linnet::format::kMetadataAlignment == 64);
  CHECK(std::memcmp(linnet::format::kMagic, "LINNET\r\n", 8) == 0);
}

TEST_CASE("FORMAT.md's vectors are the checksum's") {
  const std::string text = document();
  auto quotes = [&](const char* row, uint64_t sum) {
    char line[128];
    std::snprintf(line, sizeof line, "| %s | 0x%016llx |", row, static_cast<unsigned long long>(sum));
    return text.find(line) != std::string::npos;
  };
  uint8_t counting[256];
  for (int i = 0; i < 256; ++i) counting[i] = static_cast<uint8_t>(i);
  CHECK(quotes("none", linnet::format::checksum("", 0)));
  CHECK(quotes("the six letters `Linnet`", linnet::format::checksum("Linnet", 6)));
  CHECK(quotes("256 bytes, 0 to 255", linnet::format::checksum(counting, 256)));
}

TEST_CASE("FORMAT.md's sizes of quantized matrices are the layout's") {
  using linnet::schema::Encoding;
  for (uint64_t rows : {1, 8, 11, 4864})
    for (uint64_t columns : {1, 64, 80, 896, 4864}) {
      const uint64_t panels = (rows + 7) / 8, padded = (columns + 63) / 64 * 64, groups = padded / 32;
      CHECK(linnet::format::tensor_bytes(Encoding::int8, rows, columns, 1) == panels * (8 * padded + 32));
      CHECK(linnet::format::tensor_bytes(Encoding::int4, rows, columns, 1) == panels * (64 * ((groups + 7) / 8) + 128 * groups + 64));
      CHECK(linnet::format::tensor_bytes(Encoding::mxfp4, rows, columns, 1) == panels * (64 * ((groups + 7) / 8) + 128 * groups));
    }
}

namespace {

// Bytes that look random, the same everywhere.
std::vector<uint8_t> noise(size_t bytes) {
  std::vector<uint8_t> all(bytes);
  uint64_t state = 7;
  for (uint8_t& byte : all) byte = static_cast<uint8_t>((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
  return all;
}

void set_floats(std::vector<uint8_t>& bytes, size_t at, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float number = static_cast<float>(i % 7 + 1) / 64;
    std::memcpy(bytes.data() + at + i * 4, &number, 4);
  }
}
float get_float(const std::vector<uint8_t>& bytes, size_t at) {
  float number;
  std::memcpy(&number, bytes.data() + at, 4);
  return number;
}

const linnet::kernels::LinearKernels& portable() { return linnet::kernels::table(linnet::kernels::Level::portable).linear; }

}  // namespace

TEST_CASE("FORMAT.md's formulas say where each int8 weight lies") {
  for (auto [rows, columns] : {std::pair<size_t, size_t>{1, 1}, {8, 64}, {11, 80}, {24, 129}}) {
    const size_t panels = (rows + 7) / 8, padded = (columns + 63) / 64 * 64;
    std::vector<uint8_t> bytes = noise(panels * (8 * padded + 32));
    set_floats(bytes, panels * 8 * padded, 8 * panels);
    std::vector<float> row(columns);
    for (size_t n = 0; n < rows; ++n) {
      portable().row_int8(bytes.data(), rows, columns, n, row.data());
      for (size_t k = 0; k < columns; ++k) {
        const uint8_t byte = bytes[n / 8 * 8 * padded + k / 8 * 64 + n % 8 * 8 + k % 8];
        CHECK(row[k] == get_float(bytes, panels * 8 * padded + n * 4) * static_cast<float>(static_cast<int8_t>(byte)));
      }
    }
  }
}

TEST_CASE("FORMAT.md's formulas say where each int4 weight lies") {
  for (auto [rows, columns] : {std::pair<size_t, size_t>{1, 1}, {8, 64}, {11, 80}, {24, 320}, {9, 576}}) {
    const size_t panels = (rows + 7) / 8, groups = (columns + 63) / 64 * 2, panel = 64 * ((groups + 7) / 8) + 128 * groups;
    std::vector<uint8_t> bytes = noise(panels * (panel + 64));
    set_floats(bytes, panels * panel, 16 * panels);
    std::vector<float> row(columns);
    for (size_t n = 0; n < rows; ++n) {
      portable().row_int4(bytes.data(), rows, columns, n, row.data());
      for (size_t k = 0; k < columns; ++k) {
        const size_t g = k / 32, block = n / 8 * panel + g / 8 * (64 + 8 * 128);
        const uint8_t scales = bytes[block + g % 8 * 8 + n % 8];
        const uint8_t byte = bytes[block + 64 + g % 8 * 128 + k % 32 / 16 * 64 + n % 8 * 8 + k % 8];
        const int nibble = k % 16 < 8 ? byte & 15 : byte >> 4;
        const float r = get_float(bytes, panels * panel + n * 4), m = get_float(bytes, panels * panel + 32 * panels + n * 4);
        CHECK(row[k] == r * static_cast<float>(((scales & 15) + 1) * nibble) - m * static_cast<float>(scales >> 4));
      }
    }
  }
}
