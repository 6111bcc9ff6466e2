// Where a model may come from: a path, a stretch of an open file, memory; mapped or read.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/platform.h"
#include "format/listing.h"
#include "format/open_model.h"
#include "format/scratch_folder.h"
#include "format/tiny_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

const char* const kEncoder =
    "family tiny, task feature_extraction, 980 bytes of weights\n"
    "tensor embedding: f32 1 x 11 x 12, 528 bytes\n";

struct Descriptor {
  explicit Descriptor(const std::string& path) : number(open(path.c_str(), O_RDONLY)) {}
  ~Descriptor() { close(number); }
  int number;
};

}  // namespace

TEST_CASE("a model is the same from a path, a descriptor and memory, mapped and read") {
  const ScratchFolder folder;
  for (const TinyModel& tiny : {tiny_encoder(), tiny_decoder()}) {
    const Bytes file = tiny.file();
    const AlignedBytes aligned(file);
    const std::string path = folder.write("model.linnet", file);
    const Descriptor descriptor(path);
    const std::string expected = listing(Model::open(aligned.data(), aligned.size()));
    CHECK(contains(expected, "tensor embedding: f32 1 x 11 x 12, 528 bytes\n"));
    for (bool map : {true, false})
      for (bool verify : {true, false}) {
        const OpenOptions options{.map = map, .verify_checksums = verify};
        CHECK(listing(Model::open(path.c_str(), options)) == expected);
        CHECK(listing(Model::open(descriptor.number, 0, file.size(), options)) == expected);
        CHECK(listing(Model::open(aligned.data(), aligned.size(), options)) == expected);
      }
  }
}

TEST_CASE("a model says what it holds") {
  const Bytes file = tiny_encoder().file();
  const AlignedBytes aligned(file);
  const Result<Model> model = Model::open(aligned.data(), aligned.size());
  REQUIRE(model.ok());
  CHECK(contains(listing(*model), kEncoder));
  CHECK(model->file_bytes() == file.size());
  CHECK(model->metadata("licence") == "none");
  CHECK(model->metadata("author") == "");
  CHECK(model->label(4) == "E");
  CHECK(model->label(5) == "");
  CHECK(model->programs() == 1);
  CHECK(model->program(0).max_positions == 32);
  CHECK(model->input(0, 0).bound == kTinyVocabulary);
  CHECK(model->generation().bos == -1);
  CHECK(model->chat_template() == "");
}

TEST_CASE("generation defaults are handed out") {
  const AlignedBytes aligned(tiny_decoder().file());
  const Result<Model> model = Model::open(aligned.data(), aligned.size());
  REQUIRE(model.ok());
  CHECK(model->generation().bos == 1);
  REQUIRE(model->generation().eos.size() == 1);
  CHECK(model->generation().eos[0] == 2);
  CHECK(model->generation().banned.empty());
}

TEST_CASE("a shared handle keeps the model") {
  const AlignedBytes aligned(tiny_encoder().file());
  Result<Model> opened = Model::open(aligned.data(), aligned.size(), {.map = false});
  REQUIRE(opened.ok());
  const std::string expected = listing(*opened);
  const Model second = opened->share();
  {
    const Model first = std::move(*opened);
    CHECK(listing(first) == expected);
  }
  CHECK(listing(second) == expected);
}

TEST_CASE("an asset at any offset of an archive opens, and its weights lie on multiples of 64") {
  const ScratchFolder folder;
  const Bytes file = tiny_encoder().file();
  const AlignedBytes aligned(file);
  const std::string expected = listing(Model::open(aligned.data(), aligned.size()));
  for (size_t offset :
       {size_t{1}, size_t{4}, size_t{63}, size_t{64}, size_t{4095}, size_t{4096}, size_t{4097}, size_t{16384}, size_t{100000}}) {
    Bytes archive(offset, uint8_t{0x55});
    archive.insert(archive.end(), file.begin(), file.end());
    archive.insert(archive.end(), 333, uint8_t{0x55});
    const std::string path = folder.write("archive", archive);
    for (bool map : {true, false}) {
      Result<Model> model = [&] {
        const Descriptor descriptor(path);  // closed before the model is used
        return Model::open(descriptor.number, offset, file.size(), {.map = map, .verify_checksums = true});
      }();
      CHECK(listing(model) == expected);
      REQUIRE(model.ok());
      for (const format::Tensor& tensor : model->file().tensors()) CHECK(reinterpret_cast<uintptr_t>(tensor.data) % 64 == 0);
    }
  }
}

TEST_CASE("memory that is not aligned is copied") {
  const Bytes file = tiny_encoder().file();
  Bytes shifted(file.size() + 128);
  for (size_t shift : {1, 8, 32, 63}) {
    uint8_t* base = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(shifted.data()) + 63) / 64 * 64 + shift);
    std::memcpy(base, file.data(), file.size());
    const Result<Model> model = Model::open(base, file.size());
    REQUIRE(model.ok());
    std::memset(base, 0, file.size());
    CHECK(contains(listing(*model), "tensor norm.weight: f32 1 x 1 x 12, 48 bytes"));
    CHECK(model->verify().ok());
    for (const format::Tensor& tensor : model->file().tensors()) CHECK(reinterpret_cast<uintptr_t>(tensor.data) % 64 == 0);
  }
}

TEST_CASE("aligned memory and mapped files are not copied") {
  const Bytes file = tiny_encoder().file();
  const AlignedBytes aligned(file);
  const Result<Model> model = Model::open(aligned.data(), aligned.size());
  REQUIRE(model.ok());
  CHECK(model->file().tensors()[0].data == aligned.data() + 16384);
}

TEST_CASE("what cannot be opened is told by its name") {
  const ScratchFolder folder;
  const std::string missing = folder / "missing.linnet", folder_path = folder / "";
  const std::string empty = folder.write("empty.linnet", {}), small = folder.write("small.linnet", Bytes(63, 'L'));
  struct Case {
    std::string path;
    Code code;
    std::string part;
  };
  for (const Case& wrong : {Case{missing, Code::not_found, "No such file"}, Case{folder_path, Code::io, "directory"},
                            Case{empty, Code::corrupt, "it has 0 bytes, too few for a Linnet file"},
                            Case{small, Code::corrupt, "it has 63 bytes, too few for a Linnet file"}}) {
    const Result<Model> model = Model::open(wrong.path.c_str());
    REQUIRE(!model.ok());
    CHECK(model.status().code() == wrong.code);
    CHECK_MESSAGE(contains(model.status().message(), wrong.part), model.status().message());
    CHECK_MESSAGE(contains(model.status().message(), wrong.path + ": "), model.status().message());
  }
  CHECK(Model::open(static_cast<const char*>(nullptr)).status().code() == Code::invalid_argument);
  CHECK(Model::open(nullptr, 100).status().code() == Code::invalid_argument);
}

TEST_CASE("every truncation of a file is refused, mapped and read") {
  const ScratchFolder folder;
  const std::string path = folder.write("model.linnet", tiny_encoder().file());
  for (size_t length = std::filesystem::file_size(path); length-- > 0;) {
    REQUIRE(truncate(path.c_str(), static_cast<off_t>(length)) == 0);
    for (bool map : {true, false}) {
      const Result<Model> model = Model::open(path.c_str(), {.map = map});
      if (model.ok() || model.status().code() != Code::corrupt) FAIL_CHECK("length ", length, ", map ", map);
    }
  }
}

TEST_CASE("a descriptor that is closed, or a stretch that the file does not have, is refused by number") {
  const ScratchFolder folder;
  const Bytes file = tiny_encoder().file();
  const Descriptor descriptor(folder.write("model.linnet", file));
  CHECK(Model::open(-1, 0, 100).status().code() == Code::io);
  CHECK(contains(Model::open(-1, 0, 100).status().message(), "descriptor -1: "));
  const std::string named = "descriptor " + std::to_string(descriptor.number) + ": ";
  for (auto [offset, length] : {std::pair<uint64_t, uint64_t>{1, file.size()},
                                {file.size() + 1, 0},
                                {0, file.size() + 1},
                                {UINT64_MAX, 2},
                                {2, UINT64_MAX},
                                {UINT64_MAX, UINT64_MAX}}) {
    const Result<Model> model = Model::open(descriptor.number, offset, length);
    REQUIRE(!model.ok());
    CHECK(model.status().code() == Code::corrupt);
    CHECK(contains(model.status().message(), named));
    CHECK(contains(model.status().message(), "but the file has " + std::to_string(file.size())));
  }
  for (uint64_t length : {uint64_t{0}, uint64_t{64}, uint64_t{file.size() - 1}})
    CHECK(Model::open(descriptor.number, 0, length).status().code() == Code::corrupt);
}

TEST_CASE("a sparse file of five gigabytes opens, and its last bytes are there") {
  constexpr uint64_t kBig = uint64_t{5} << 30;
  const ScratchFolder folder;
  TinyModel tiny = tiny_encoder();
  // A table of 5 GiB that no operation reads, and a small one behind it.
  const uint64_t begin = (tiny.weights.size() + 63) / 64 * 64;
  tiny.tensors.push_back({.name = "big", .rows = 1u << 20, .columns = 1280, .offset = begin, .bytes = kBig});
  tiny.tensors.push_back({.name = "last", .columns = 1, .offset = begin + kBig, .bytes = 4});
  const Bytes structure = tiny.structure();
  Bytes head = seal(structure, tiny.weights);
  format::Header header;
  std::memcpy(&header, head.data(), sizeof header);
  header.file_bytes = header.weight_offset + begin + kBig + 4;
  header.header_checksum = 0;
  header.header_checksum = format::checksum(&header, sizeof header);
  std::memcpy(head.data(), &header, sizeof header);

  const std::string path = folder / "big.linnet";
  {
    Result<core::AtomicFile> file = core::AtomicFile::create(path.c_str());
    REQUIRE(file.ok());
    REQUIRE(file->write(head.data(), head.size()).ok());
    REQUIRE(file->seek(header.file_bytes - 4).ok());
    const uint32_t number = 0x12345678;
    REQUIRE(file->write(&number, 4).ok());
    REQUIRE(file->commit().ok());
  }
  struct stat info;
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK(static_cast<uint64_t>(info.st_size) == header.file_bytes);
  CHECK(info.st_blocks * 512 < (1 << 20));
  const Result<Model> model = Model::open(path.c_str());
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  CHECK(model->file_bytes() > kBig);
  CHECK(model->weight_bytes() > kBig);
  uint32_t number;
  std::memcpy(&number, model->file().tensors()[6].data, 4);
  CHECK(number == 0x12345678);
  CHECK(model->file().tensors()[5].data[kBig / 2] == 0);
}
