#include "core/platform.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "format/scratch_folder.h"

using namespace linnet;
using core::AtomicFile;
using core::File;
using core::Mapping;
using linnet::tests::ScratchFolder;

namespace {

std::string read_all(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string counting(size_t bytes) {
  std::string text(bytes, 0);
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 + i / 256);
  return text;
}

std::string write(const ScratchFolder& folder, const std::string& name, const std::string& text) {
  return folder.write(name, {text.begin(), text.end()});
}

}  // namespace

TEST_CASE("a file knows its length and reads any stretch") {
  const ScratchFolder folder;
  const std::string text = counting(10000), path = write(folder, "file", text);
  const Result<File> file = File::open(path.c_str());
  REQUIRE(file.ok());
  CHECK(*file->length() == text.size());
  std::string part(1234, 0);
  CHECK(file->read(777, part.data(), part.size()).ok());
  CHECK(part == text.substr(777, 1234));
  CHECK(file->read(10000, part.data(), 0).ok());
}

TEST_CASE("a stretch that is not there is a truncated file") {
  const ScratchFolder folder;
  const Result<File> file = File::open(write(folder, "file", "twelve bytes").c_str());
  REQUIRE(file.ok());
  char byte[20];
  const Status status = file->read(8, byte, 5);
  CHECK(status.code() == Code::corrupt);
  CHECK(std::string(status.message()) == "the file is truncated: 1 bytes are missing at offset 12");
  CHECK(file->read(12, byte, 1).code() == Code::corrupt);
  CHECK(file->read(UINT64_MAX - 3, byte, 1).code() == Code::io);
}

TEST_CASE("a file that cannot be opened is told by its path") {
  const ScratchFolder folder;
  const std::string missing = folder / "missing", below_file = write(folder, "file", "x") + "/y";
  CHECK(File::open(missing.c_str()).status().code() == Code::not_found);
  CHECK(std::string(File::open(missing.c_str()).status().message()).find(missing) == 0);
  CHECK(File::open(below_file.c_str()).status().code() == Code::not_found);
  const std::string itself = folder / "";
  CHECK(File::open(itself.c_str()).status().code() == Code::io);
  CHECK(std::string(File::open(itself.c_str()).status().message()) == itself + ": opening failed: Is a directory");
}

TEST_CASE("a borrowed descriptor stays open, an own one is closed") {
  const ScratchFolder folder;
  const std::string path = write(folder, "file", "x");
  const int descriptor = open(path.c_str(), O_RDONLY);
  { const File borrowed = File::borrow(descriptor); }
  CHECK(fcntl(descriptor, F_GETFD) != -1);
  close(descriptor);
  int own;
  {
    Result<File> file = File::open(path.c_str());
    REQUIRE(file.ok());
    own = file->descriptor();
    const File moved = std::move(*file);
    CHECK(fcntl(own, F_GETFD) != -1);
  }
  CHECK(fcntl(own, F_GETFD) == -1);
}

TEST_CASE("a mapping begins at any offset and outlives its file") {
  const ScratchFolder folder;
  const std::string text = counting(100000), path = write(folder, "file", text);
  for (size_t offset : {0, 1, 63, 4095, 4096, 4097, 65536, 99999}) {
    Mapping kept;
    {
      const Result<File> file = File::open(path.c_str());
      REQUIRE(file.ok());
      Result<Mapping> mapping = Mapping::map(*file, offset, text.size() - offset);
      REQUIRE(mapping.ok());
      kept = std::move(*mapping);
    }
    REQUIRE(kept.size() == text.size() - offset);
    CHECK(std::memcmp(kept.data(), text.data() + offset, kept.size()) == 0);
  }
}

TEST_CASE("mappings that make no sense are errors, empty ones are not") {
  const ScratchFolder folder;
  const Result<File> file = File::open(write(folder, "file", "x").c_str());
  REQUIRE(file.ok());
  CHECK(Mapping::map(*file, 0, 0)->size() == 0);
  CHECK(Mapping::map(*file, 1, SIZE_MAX).status().code() == Code::unsupported);
  CHECK(Mapping::map(*file, 0, SIZE_MAX / 2).status().code() == Code::io);
  CHECK(Mapping::map(File::borrow(-1), 0, 10).status().code() == Code::io);
}

TEST_CASE("an atomic file appears whole, over an older one, and leaves nothing beside it") {
  const ScratchFolder folder;
  const std::string path = write(folder, "file", "old");
  {
    Result<AtomicFile> file = AtomicFile::create(path.c_str());
    REQUIRE(file.ok());
    REQUIRE(file->write("new ", 4).ok());
    REQUIRE(file->write("text", 4).ok());
    CHECK(read_all(path) == "old");
    REQUIRE(file->commit().ok());
    CHECK(read_all(path) == "new text");
  }
  CHECK(folder.names() == std::vector<std::string>{"file"});
}

TEST_CASE("an atomic file that is given up leaves the old one and nothing else") {
  const ScratchFolder folder;
  const std::string path = write(folder, "file", "old");
  {
    Result<AtomicFile> file = AtomicFile::create(path.c_str());
    REQUIRE(file.ok());
    REQUIRE(file->write("new", 3).ok());
    const AtomicFile moved = std::move(*file);
    CHECK(folder.names().size() == 2);
  }
  CHECK(folder.names() == std::vector<std::string>{"file"});
  CHECK(read_all(path) == "old");
}

TEST_CASE("two writers of one path do not meet; the later commit stays") {
  const ScratchFolder folder;
  const std::string path = folder / "file";
  {
    Result<AtomicFile> first = AtomicFile::create(path.c_str()), second = AtomicFile::create(path.c_str());
    REQUIRE(first.ok());
    REQUIRE(second.ok());
    REQUIRE(first->write("first", 5).ok());
    REQUIRE(second->write("second", 6).ok());
    REQUIRE(second->commit().ok());
    REQUIRE(first->commit().ok());
  }
  CHECK(read_all(path) == "first");
  CHECK(folder.names().size() == 1);
}

TEST_CASE("a gap reads as zeros") {
  const ScratchFolder folder;
  const std::string path = folder / "file";
  Result<AtomicFile> file = AtomicFile::create(path.c_str());
  REQUIRE(file.ok());
  REQUIRE(file->write("ab", 2).ok());
  REQUIRE(file->seek(5).ok());
  REQUIRE(file->write("c", 1).ok());
  REQUIRE(file->commit().ok());
  CHECK(read_all(path) == std::string("ab\0\0\0c", 6));
}

TEST_CASE("a folder that is not there cannot be written, by name") {
  const ScratchFolder folder;
  const std::string path = folder / "no/file";
  const Result<AtomicFile> file = AtomicFile::create(path.c_str());
  CHECK(file.status().code() == Code::io);
  CHECK(std::string(file.status().message()).find(path + ": creating failed") == 0);
}

TEST_CASE("a device is written to, never replaced") {
  Result<AtomicFile> file = AtomicFile::create("/dev/null");
  REQUIRE(file.ok());
  CHECK(file->write("abc", 3).ok());
  CHECK(file->commit().ok());
  CHECK(std::filesystem::is_character_file("/dev/null"));

  Result<AtomicFile> full = AtomicFile::create("/dev/full");
  REQUIRE(full.ok());
  Status status = full->write("abc", 3);
  CHECK(status.code() == Code::io);
  CHECK(std::string(status.message()) == "/dev/full: writing failed: No space left on device");
  CHECK(std::filesystem::is_character_file("/dev/full"));
}

TEST_CASE("a link stays, and what it leads to is replaced") {
  ScratchFolder folder;
  write(folder, "target", "old");
  std::filesystem::create_symlink(folder / "target", folder / "link");
  Result<AtomicFile> file = AtomicFile::create((folder / "link").c_str());
  REQUIRE(file.ok());
  REQUIRE(file->write("new", 3).ok());
  REQUIRE(file->commit().ok());
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(read_all(folder / "target") == "new");
  CHECK(folder.names().size() == 2);
}

TEST_CASE("a folder is refused as a file to write, before anything is written") {
  ScratchFolder folder;
  Result<AtomicFile> file = AtomicFile::create((folder / "").c_str());
  REQUIRE(!file.ok());
  CHECK(file.status().code() == Code::io);
  CHECK(std::string(file.status().message()).find("it is a folder") != std::string::npos);
  CHECK(folder.names().empty());
}

TEST_CASE("a disk that is full is an error, and nothing is left behind") {
  const ScratchFolder folder;
  const std::string path = write(folder, "file", "old");
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 100000;  // a file may not grow further, as on a full disk
  signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  {
    Result<AtomicFile> file = AtomicFile::create(path.c_str());
    REQUIRE(file.ok());
    const std::string text = counting(200000);
    const Status status = file->write(text.data(), text.size());
    CHECK(status.code() == Code::io);
    CHECK(std::string(status.message()).find(path + ": writing failed") == 0);
  }
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  signal(SIGXFSZ, SIG_DFL);
  CHECK(folder.names() == std::vector<std::string>{"file"});
  CHECK(read_all(path) == "old");
}

TEST_CASE("time goes forward") {
  uint64_t last = core::now();
  for (int i = 0; i < 1000; ++i) {
    const uint64_t next = core::now();
    CHECK(next >= last);
    last = next;
  }
}
