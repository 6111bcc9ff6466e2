// Converted files, changed in every byte of their structural part and cut at every length: refused in words, or run in bounds.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "format/header.h"
#include "format/open_model.h"
#include "fuzz/run_sessions.h"
#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

Bytes converted(const convert::FakeCheckpoint& checkpoint, const char* weights) {
  const convert::CheckpointFolder folder("corruption");
  folder.write(checkpoint);
  convert::Options options;
  options.weights = weights;
  convert::convert(folder.path(), folder.path("out.linnet"), options);
  std::ifstream file(folder.path("out.linnet"), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Counts {
  size_t files = 0, opened = 0, runs = 0;
  void add(const Bytes& bytes) {
    const AlignedBytes aligned(bytes);
    const Result<Model> model = Model::open(aligned.data(), aligned.size());
    ++files;
    if (model.ok()) {
      ++opened;
      runs += run_sessions(*model);
      return;
    }
    const bool said = (model.status().code() == Code::corrupt || model.status().code() == Code::unsupported) && *model.status().message();
    if (!said) FAIL_CHECK("refused with code ", static_cast<int>(model.status().code()), ": ", model.status().message());
  }
};

}  // namespace

TEST_CASE("every changed byte of a converted file's structural part") {
  for (const auto& [checkpoint, weights] : {std::pair(decoder_checkpoint(), "int4"), std::pair(encoder_checkpoint(), "int8")}) {
    const Bytes file = converted(checkpoint, weights);
    format::Header header;
    std::memcpy(&header, file.data(), sizeof header);
    const auto at = file.begin() + static_cast<ptrdiff_t>(header.metadata_offset);
    const Bytes structure(at, at + static_cast<ptrdiff_t>(header.metadata_bytes));
    const Bytes data(file.begin() + static_cast<ptrdiff_t>(header.weight_offset), file.end());
    Counts counts;
    counts.add(seal(structure, data));
    CHECK(counts.runs == 2);
    for (size_t i = 0; i < structure.size(); ++i) {
      Bytes bent = structure;
      bent[i] = static_cast<uint8_t>(bent[i] ^ 1 << (i % 8));
      counts.add(seal(bent, data));
    }
    MESSAGE(counts.files, " files: ", counts.opened, " open, and ran ", counts.runs, " times");
  }
}

TEST_CASE("every truncation of a converted file, and every changed byte without a new checksum") {
  const Bytes file = converted(encoder_checkpoint(), "int4");
  format::Header header;
  std::memcpy(&header, file.data(), sizeof header);
  Counts cut, bent;
  for (size_t length = 0; length < file.size(); length += length < header.weight_offset ? 1 : 101)
    cut.add(Bytes(file.begin(), file.begin() + static_cast<ptrdiff_t>(length)));
  CHECK(cut.opened == 0);
  const size_t covered = static_cast<size_t>(header.metadata_offset + header.metadata_bytes);
  for (size_t i = 0; i < covered; ++i) {
    Bytes changed = file;
    changed[i] = static_cast<uint8_t>(changed[i] ^ 0x55);
    bent.add(changed);
  }
  CHECK(bent.opened == 0);
  MESSAGE(cut.files, " truncations and ", bent.files, " changed bytes, all refused");
}
