// The structural part as bytes: FlatBuffers that lie about themselves. Checksums are always right, so that it is the verifiers that speak.
#include <doctest/doctest.h>

#include "format/open_model.h"
#include "format/tiny_experts.h"
#include "format/tiny_vision.h"
#include "format/tiny_models.h"
#include "fuzz/run_program.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

bool clean(const Outcome& outcome) {
  return outcome.code == Code::ok || ((outcome.code == Code::corrupt || outcome.code == Code::unsupported) && !outcome.message.empty());
}

struct Sweep {
  size_t mutants = 0, opened = 0, runs = 0;
};

// Opens, and runs what opens.
Outcome open_and_run(const Bytes& bytes, Sweep* sweep) {
  const AlignedBytes aligned(bytes);
  const Result<Model> model = Model::open(aligned.data(), aligned.size());
  ++sweep->mutants;
  if (!model.ok()) return {model.status().code(), model.status().message()};
  ++sweep->opened;
  sweep->runs += run_programs(*model);
  return {};
}

// Every byte of the structural part becomes each of these; whatever opens has been verified and runs, whatever it means now.
Sweep sweep_bytes(const TinyModel& model) {
  const Bytes structure = model.structure();
  Sweep sweep;
  for (size_t i = 0; i < structure.size(); ++i) {
    Bytes bent = structure;
    auto check = [&](uint8_t byte) {
      if (byte == structure[i]) return;
      bent[i] = byte;
      const Outcome outcome = open_and_run(seal(bent, model.weights), &sweep);
      if (!clean(outcome)) FAIL_CHECK("byte ", i, " = ", int{byte}, ": ", name(outcome.code), " ", outcome.message);
    };
    for (int bit = 0; bit < 8; ++bit) check(static_cast<uint8_t>(structure[i] ^ (1 << bit)));
    for (uint8_t byte : {uint8_t{0x00}, uint8_t{0x7f}, uint8_t{0x80}, uint8_t{0xff}}) check(byte);
    check(static_cast<uint8_t>(structure[i] + 1));
    check(static_cast<uint8_t>(structure[i] - 1));
  }
  return sweep;
}

}  // namespace

TEST_CASE("every changed byte of the structural part is refused, or verified and then runs in bounds") {
  for (const TinyModel& model : {tiny_encoder(), tiny_decoder(), tiny_experts(), tiny_vision()}) {
    const Sweep sweep = sweep_bytes(model);
    MESSAGE(sweep.mutants, " changed files: ", sweep.opened, " still open, their programs ran ", sweep.runs, " times");
    CHECK(sweep.opened < sweep.mutants);
    CHECK(sweep.runs > sweep.opened);
  }
}

TEST_CASE("the tiny models themselves run") {
  for (const TinyModel& model : {tiny_encoder(), tiny_decoder(), tiny_experts(), tiny_vision()}) {
    Sweep sweep;
    CHECK(open_and_run(model.file(), &sweep).code == Code::ok);
    CHECK(sweep.runs == 2 * model.programs.size());
  }
}

TEST_CASE("every truncated or shifted structural part with a right checksum is refused or verified") {
  const TinyModel model = tiny_encoder();
  const Bytes structure = model.structure();
  for (size_t length = 1; length < structure.size(); ++length) {
    const Outcome head = open_outcome(seal(Bytes(structure.begin(), structure.begin() + static_cast<long>(length)), model.weights));
    if (!clean(head)) FAIL_CHECK("length ", length, ": ", head.message);
    const Outcome tail = open_outcome(seal(Bytes(structure.end() - static_cast<long>(length), structure.end()), model.weights));
    if (!clean(tail)) FAIL_CHECK("the last ", length, " bytes: ", tail.message);
  }
}

TEST_CASE("a structural part that is no FlatBuffer is refused") {
  for (size_t length : {1, 4, 7, 8, 9, 64, 4096}) {
    for (int byte : {0x00, 0x01, 0x04, 0x08, 0x7f, 0x80, 0xff}) {
      const Outcome outcome = open_outcome(seal(Bytes(length, static_cast<uint8_t>(byte)), {}));
      CHECK(outcome.code == Code::corrupt);
      CHECK(outcome.message == "model in memory: the structural part is not a sound FlatBuffer");
    }
  }
}

TEST_CASE("random bytes in place of the structural part are refused") {
  uint64_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    Bytes noise(static_cast<size_t>(8 + round % 600));
    for (uint8_t& byte : noise) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      byte = static_cast<uint8_t>(state >> 56);
    }
    CHECK(open_outcome(seal(noise, {})).code == Code::corrupt);
  }
}

TEST_CASE("a misaligned table is refused, not read") {
  // The whole buffer moved by two bytes, with the root offset corrected: every number lies on an odd place.
  const TinyModel model = tiny_encoder();
  Bytes structure = model.structure();
  uint32_t root;
  std::memcpy(&root, structure.data(), 4);
  root += 2;
  structure.insert(structure.begin() + 4, 2, uint8_t{0});
  std::memcpy(structure.data(), &root, 4);
  CHECK(open_outcome(seal(structure, model.weights)).code == Code::corrupt);
}

TEST_CASE("fields of a newer schema are skipped") {
  for (TinyModel model : {tiny_encoder(), tiny_decoder()}) {
    const size_t before = model.structure().size();
    model.newer_fields = true;
    CHECK(model.structure().size() > before);
    const Outcome outcome = open_outcome(model.file(), {.verify_checksums = true});
    CHECK_MESSAGE(outcome.code == Code::ok, outcome.message);
  }
}

TEST_CASE("a structural part that shares its tables over and over is refused by the limit, quickly") {
  // One program of many operations, listed sixteen times: the names are the same, so that the second is refused.
  TinyModel model = tiny_encoder();
  const TinyOperation last = model.programs[0].operations.back();
  for (int i = 0; i < 100001; ++i) model.programs[0].operations.push_back(last);
  const Outcome outcome = open_outcome(model.file());
  CHECK(outcome.code == Code::corrupt);
  CHECK_MESSAGE(contains(outcome.message, "100004 operations, expected 1 to 100000"), outcome.message);
}
