#include "format/header.h"

#include <doctest/doctest.h>

#include "format/open_model.h"
#include "format/tiny_models.h"

using namespace linnet;
using namespace linnet::tests;
using format::Header;

namespace {

Header header_of(const Bytes& file) {
  Header header;
  std::memcpy(&header, file.data(), sizeof header);
  return header;
}

// Writes the header back, its own checksum made right, so that the field itself is what is looked at.
void set_header(Bytes& file, Header header) {
  header.header_checksum = 0;
  header.header_checksum = format::checksum(&header, sizeof header);
  std::memcpy(file.data(), &header, sizeof header);
}

struct Case {
  const char* what;
  void (*bend)(Header&);
  Code code;
  const char* culprit;
};

const Case kCases[] = {
    {"a newer version", [](Header& h) { h.version = 2; }, Code::unsupported, "format version 2, this build reads version 1"},
    {"version 0", [](Header& h) { h.version = 0; }, Code::unsupported, "format version 0"},
    {"a short header", [](Header& h) { h.header_bytes = 63; }, Code::corrupt, "a header of 63 bytes"},
    {"a header of 0 bytes", [](Header& h) { h.header_bytes = 0; }, Code::corrupt, "a header of 0 bytes"},
    {"a header longer than any", [](Header& h) { h.header_bytes = 0xffffffff; }, Code::corrupt, "a header of 4294967295 bytes"},
    {"a header into the structural part", [](Header& h) { h.header_bytes = 65; }, Code::corrupt, "the structural part begins at 64"},
    {"one byte more promised", [](Header& h) { ++h.file_bytes; }, Code::corrupt, "truncated, or something was appended"},
    {"one byte fewer promised", [](Header& h) { --h.file_bytes; }, Code::corrupt, "truncated, or something was appended"},
    {"the structure at the header", [](Header& h) { h.metadata_offset = 0; }, Code::corrupt, "the structural part begins at 0"},
    {"the structure misaligned", [](Header& h) { h.metadata_offset = 72; }, Code::corrupt, "the structural part begins at 72"},
    {"the structure later", [](Header& h) { h.metadata_offset = 128; }, Code::corrupt, "the structural part begins at 128"},
    {"the structure far outside", [](Header& h) { h.metadata_offset = UINT64_MAX - 63; }, Code::corrupt,
     "the structural part begins at 1844674407370955"},
    {"no structure", [](Header& h) { h.metadata_bytes = 0; }, Code::corrupt, "a structural part of 0 bytes"},
    {"a structure beyond the limit", [](Header& h) { h.metadata_bytes = (64u << 20) + 1; }, Code::corrupt,
     "a structural part of 67108865 bytes"},
    {"a structure that wraps", [](Header& h) { h.metadata_bytes = UINT64_MAX; }, Code::corrupt,
     "a structural part of 18446744073709551615 bytes"},
    {"a structure into the weights", [](Header& h) { h.metadata_bytes = 60000; }, Code::corrupt, "the weights begin at 16384"},
    {"weights misaligned", [](Header& h) { h.weight_offset += 64; }, Code::corrupt, "the weights begin at 16448"},
    {"weights within the structure", [](Header& h) { h.weight_offset = 0; }, Code::corrupt, "the weights begin at 0"},
    {"weights later", [](Header& h) { h.weight_offset += 16384; }, Code::corrupt, "the weights begin at 32768"},
    {"weights behind the end", [](Header& h) { h.weight_offset = UINT64_MAX - 16383; }, Code::corrupt,
     "the weights begin at 1844674407370953"},
    {"another checksum of the structure", [](Header& h) { h.metadata_checksum ^= 1; }, Code::corrupt,
     "the structural part's checksum is wrong"},
};

}  // namespace

TEST_CASE("every wrong field of the header is refused by its name") {
  const Bytes right = tiny_encoder().file();
  for (const Case& wrong : kCases) {
    INFO(std::string(wrong.what));
    Bytes file = right;
    Header header = header_of(file);
    wrong.bend(header);
    set_header(file, header);
    const Outcome outcome = open_outcome(file);
    CHECK(outcome.code == wrong.code);
    CHECK_MESSAGE(contains(outcome.message, wrong.culprit), outcome.message);
    CHECK_MESSAGE(contains(outcome.message, "model in memory: "), outcome.message);
  }
}

TEST_CASE("every changed byte of the header is refused, whatever it becomes") {
  const Bytes right = tiny_encoder().file();
  for (size_t i = 0; i < sizeof(Header); ++i)
    for (int value = 0; value < 256; ++value) {
      if (right[i] == value) continue;
      Bytes file = right;
      file[i] = static_cast<uint8_t>(value);
      const Outcome outcome = open_outcome(file);
      CHECK_MESSAGE(outcome.code == Code::corrupt, "byte ", i, " = ", value, ": ", outcome.message);
    }
}

TEST_CASE("a longer header of a newer writer is read over") {
  const TinyModel tiny = tiny_encoder();
  const Bytes structure = tiny.structure();
  Bytes file = seal(structure, tiny.weights);
  // 100 bytes of header: the structural part moves to 128.
  file.insert(file.begin() + 64, 64, uint8_t{0xab});
  Header header = header_of(file);
  header.header_bytes = 100;
  header.metadata_offset = 128;
  const uint64_t weights = (128 + structure.size() + 16383) / 16384 * 16384;
  file.erase(file.begin() + static_cast<long>(128 + structure.size()), file.begin() + static_cast<long>(128 + structure.size() + 64));
  REQUIRE(weights == header.weight_offset);
  header.file_bytes = file.size();
  set_header(file, header);
  const Outcome outcome = open_outcome(file, {.verify_checksums = true});
  CHECK_MESSAGE(outcome.code == Code::ok, outcome.message);
}

TEST_CASE("a file that ends before its weights begin is refused, though header and length agree") {
  const TinyModel tiny = tiny_encoder();
  for (size_t length : {64 + tiny.structure().size(), size_t{16383}}) {
    Bytes file = tiny.file();
    file.resize(length);
    Header header = header_of(file);
    header.file_bytes = length;
    set_header(file, header);
    const Outcome outcome = open_outcome(file);
    CHECK(outcome.code == Code::corrupt);
    CHECK(outcome.message == "model in memory: the weights begin at 16384, behind the end at " + std::to_string(length));
  }
}

TEST_CASE("every truncation and every appended byte is refused") {
  const Bytes right = tiny_encoder().file();
  for (size_t length = 0; length < right.size(); ++length) {
    const Outcome outcome = open_outcome(Bytes(right.begin(), right.begin() + static_cast<long>(length)));
    if (outcome.code != Code::corrupt) FAIL_CHECK("length ", length, ": ", outcome.message);
  }
  Bytes longer = right;
  longer.push_back(0);
  CHECK(open_outcome(longer).code == Code::corrupt);
}

TEST_CASE("other files are told that they are none of ours") {
  for (const std::string& text :
       {std::string("GGUF") + std::string(100, '\0'), std::string(64, '\0'), std::string("LINNET\n\n") + std::string(60, 'x')}) {
    const Outcome outcome = open_outcome(Bytes(text.begin(), text.end()));
    CHECK(outcome.code == Code::corrupt);
    CHECK(outcome.message == "model in memory: it does not begin like a Linnet file");
  }
}
