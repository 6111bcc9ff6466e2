// Conversions that are stopped: by their progress, and from outside.
#include <set>

#include "convert/conversion.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

/// The size of a file that was not given its name yet; 0 where there is none.
uint64_t nameless_bytes(const CheckpointFolder& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    if (entry.path().filename().string().rfind("out.linnet.part", 0) == 0) return entry.file_size();
  return 0;
}

}  // namespace

TEST_CASE("stopping at any tensor leaves nothing, and progress counts every tensor once") {
  CheckpointFolder folder("convert-stop");
  folder.write(small_llama());
  std::vector<std::string> names;
  Options options;
  options.progress = [&](const std::string& what, size_t done, size_t total) {
    CHECK(done == names.size());
    CHECK(total == 10);
    names.push_back(what);
    return true;
  };
  CHECK(refusal(folder, options) == "");
  REQUIRE(names.size() == 11);
  CHECK(names.back() == "");
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == 11);
  std::filesystem::remove(folder.path("out.linnet"));
  const size_t before = files_in(folder);
  for (size_t stop = 0; stop <= 10; ++stop) {
    options.progress = [&](const std::string&, size_t done, size_t) { return done != stop; };
    CHECK(refusal(folder, options) == folder.path() + ": stopped before the file was complete");
    CHECK(files_in(folder) == before);
  }
}

TEST_CASE("an interruption at any moment leaves nothing, and one that comes too late finds the whole file") {
  CheckpointFolder folder("convert-interruption");
  FakeCheckpoint checkpoint = small_llama();
  checkpoint.config()["vocab_size"] = 20000;
  folder.write(checkpoint.put("model.embed_tokens.weight", {20000, 32}));  // more than one piece of the copy behind the structural part
  const size_t before = files_in(folder);
  Options options = weights("f32");
  size_t asked = 0;
  options.interrupted = [&] { return ++asked, false; };
  CHECK(refusal(folder, options) == "");
  const size_t all = asked;
  CHECK(all > 11);
  std::filesystem::remove(folder.path("out.linnet"));
  for (size_t moment = 1; moment <= all; ++moment) {
    asked = 0;
    options.interrupted = [&] { return ++asked == moment; };
    CHECK(refusal(folder, options) == folder.path() + ": stopped before the file was complete");
    CHECK(files_in(folder) == before);
  }
}

TEST_CASE("a file that is whole but for its name is still given up, at each of its tensors") {
  CheckpointFolder folder("convert-late");
  folder.write(small_llama());
  const size_t before = files_in(folder);
  const Report report = convert::convert(folder.path(), folder.path("out.linnet"), weights("int4"));
  std::filesystem::remove(folder.path("out.linnet"));
  size_t late = 0, moment = 0;
  Options options = weights("int4");
  options.interrupted = [&] { return nameless_bytes(folder) == report.file_bytes && ++late == moment; };
  CHECK(refusal(folder, options) == "");
  std::filesystem::remove(folder.path("out.linnet"));
  const size_t all = late;
  CHECK(all > report.tensors.size() + 1);  // and once more before the file gets its name
  for (moment = 1; moment <= all; ++moment) {
    late = 0;
    CHECK(refusal(folder, options) == folder.path() + ": stopped before the file was complete");
    CHECK(files_in(folder) == before);
  }
}
