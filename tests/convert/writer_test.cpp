#include "convert/writer.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstring>

#include "convert/checkpoint.h"
#include "format/header.h"
#include "format/scratch_folder.h"
#include "format/tiny_models.h"
#include "linnet/model.h"

using namespace linnet;
using namespace linnet::tests;
using convert::Writer;

namespace {

// The tiny model through the writer: tensors first, then the structural part with their places.
uint64_t write_tiny(const std::string& path, TinyModel tiny) {
  Writer writer(path);
  for (TinyTensor& tensor : tiny.tensors) {
    const Writer::Place place = writer.add(tiny.weights.data() + tensor.offset, tensor.bytes);
    CHECK(place.offset == tensor.offset);
    CHECK(place.checksum == tensor.checksum);
  }
  const Bytes structure = tiny.structure();
  return writer.finish(structure.data(), structure.size());
}

Bytes read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("the writer's file is byte for byte what FORMAT.md says, and opens") {
  const ScratchFolder folder;
  for (const TinyModel& tiny : {tiny_encoder(), tiny_decoder()}) {
    const std::string path = folder / "model.linnet";
    CHECK(write_tiny(path, tiny) == tiny.file().size());
    CHECK(read_all(path) == tiny.file());
    const Result<Model> model = Model::open(path.c_str(), {.verify_checksums = true});
    CHECK_MESSAGE(model.ok(), model.status().message());
    CHECK(folder.names() == std::vector<std::string>{"model.linnet"});
  }
}

TEST_CASE("tensors are padded to multiples of 64 with zeros") {
  const ScratchFolder folder;
  const std::string path = folder / "file";
  Writer writer(path);
  const Bytes ones(5, 1), twos(64, 2), threes(1, 3);
  CHECK(writer.add(ones).offset == 0);
  CHECK(writer.add(twos).offset == 64);
  CHECK(writer.add(threes).offset == 128);
  CHECK(writer.finish("structure", 9) == 16384 + 129);
  const Bytes file = read_all(path);
  REQUIRE(file.size() == 16384 + 129);
  Bytes expected(129);
  std::memset(expected.data(), 1, 5);
  std::memset(expected.data() + 64, 2, 64);
  expected[128] = 3;
  CHECK(Bytes(file.begin() + 16384, file.end()) == expected);
}

TEST_CASE("a writer that is given up leaves an older file alone and nothing beside it") {
  const ScratchFolder folder;
  const std::string path = folder.write("model.linnet", {'o', 'l', 'd'});
  {
    Writer writer(path);
    writer.add(Bytes(100000, 1));
  }
  CHECK(folder.names() == std::vector<std::string>{"model.linnet"});
  CHECK(read_all(path) == Bytes{'o', 'l', 'd'});
}

TEST_CASE("a whole file that is refused before it has its name leaves nothing, and an older one stays") {
  const ScratchFolder folder;
  const std::string path = folder.write("model.linnet", {'o', 'l', 'd'});
  Writer writer(path);
  writer.add(Bytes(100, 1));
  uint64_t whole = 0;
  auto refuse = [&](const std::string& temporary) {
    whole = std::filesystem::file_size(temporary);
    throw convert::Error("no");
  };
  CHECK_THROWS_WITH_AS(writer.finish("structure", 9, {}, refuse), "no", convert::Error);
  CHECK(whole == 16384 + 100);
  CHECK(folder.names() == std::vector<std::string>{"model.linnet"});
  CHECK(read_all(path) == Bytes{'o', 'l', 'd'});
}

TEST_CASE("a folder that is not there is told at once") {
  const ScratchFolder folder;
  CHECK_THROWS_WITH_AS(Writer(folder / "no/model.linnet"), doctest::Contains("no/model.linnet: cannot be written"), convert::Error);
}

TEST_CASE("a structural part beyond the limit is refused") {
  const ScratchFolder folder;
  Writer writer(folder / "model.linnet");
  const Bytes large((64u << 20) + 1);
  CHECK_THROWS_AS(writer.finish(large.data(), large.size()), convert::Error);
  CHECK(folder.names().empty());
}

TEST_CASE("a disk that is full is an error, whenever it fills, and nothing is left behind") {
  const ScratchFolder folder;
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  signal(SIGXFSZ, SIG_IGN);
  const Bytes weights(30000, 7);
  for (rlim_t room : {rlim_t{0}, rlim_t{4096}, rlim_t{20000}, rlim_t{40000}}) {
    rlimit small = before;
    small.rlim_cur = room;  // no file may grow beyond, as on a full disk
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    auto write = [&] {
      Writer writer(folder / "model.linnet");
      writer.add(weights);
      writer.finish("structure", 9);
    };
    CHECK_THROWS_AS(write(), convert::Error);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(folder.names().empty());
  }
  signal(SIGXFSZ, SIG_DFL);
}
