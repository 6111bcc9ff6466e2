#include "convert/reopen.h"

#include <sys/resource.h>

#include "convert/conversion.h"
#include "linnet/model.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

/// While it lives, this process gets no more addresses than it has and `more`: what is large cannot be mapped.
class FewAddresses {
 public:
  explicit FewAddresses(uint64_t more) {
    uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    getrlimit(RLIMIT_AS, &usual_);
    rlimit few = usual_;
    few.rlim_cur = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) + more;
    set_ = pages > 0 && setrlimit(RLIMIT_AS, &few) == 0;
  }
  ~FewAddresses() { setrlimit(RLIMIT_AS, &usual_); }
  bool set() const { return set_; }

 private:
  rlimit usual_ = {};
  bool set_ = false;
};

}  // namespace

TEST_CASE("what the runtime would not open gets no name") {
  CheckpointFolder folder("convert-reopen");
  FakeCheckpoint checkpoint = small_bert("bert.");
  checkpoint.config()["architectures"] = {"BertForTokenClassification"};
  const uint64_t labels = (1u << 20) + 1;  // more than a file may have
  checkpoint.put("classifier.weight", {labels, 20}, std::vector<float>(labels * 20)).put("classifier.bias", {labels});
  folder.write(checkpoint);
  const size_t before = files_in(folder);
  const std::string said = refusal(folder, weights("f16"));
  CHECK_MESSAGE(said.find("labels") != std::string::npos, said);
  CHECK_MESSAGE(said.find("out.linnet: ") != std::string::npos, said);
  CHECK_MESSAGE(said.find(".part") == std::string::npos, said);
  CHECK(files_in(folder) == before);
}

TEST_CASE("weights that did not reach the disk as they were are told, by the name of the output") {
  CheckpointFolder folder("reopen-damage");
  folder.write(small_llama());
  convert::convert(folder.path(), folder.path("out.linnet"), weights("f32"));
  CHECK(check_opens(folder.path("out.linnet"), "wanted.linnet", {}) == "");
  std::fstream file(folder.path("out.linnet"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-64, std::ios::end).write("damage", 6).flush();
  CHECK_THROWS_WITH_AS(check_opens(folder.path("out.linnet"), "wanted.linnet", {}), doctest::Contains("wanted.linnet: tensor \""), Error);
}

TEST_CASE("what is thrown between two tensors comes out") {
  CheckpointFolder folder("reopen-thrown");
  folder.write(small_llama());
  convert::convert(folder.path(), folder.path("out.linnet"), weights("f32"));
  for (int last : {1, 2, 5}) {
    int ticks = 0;
    const auto tick = [&] {
      if (++ticks == last) throw Error("enough");
    };
    CHECK_THROWS_WITH_AS(check_opens(folder.path("out.linnet"), "wanted.linnet", tick), "enough", Error);
    CHECK(ticks == last);
  }
}

TEST_CASE("a file that cannot be mapped where it stands is complete all the same, and the report says that it was not checked") {
  CheckpointFolder folder("reopen-unmapped");
  FakeCheckpoint checkpoint = small_llama();
  checkpoint.config()["vocab_size"] = 600000;
  folder.write(checkpoint.put("model.embed_tokens.weight", {600000, 32}, std::vector<float>(600000 * 32)));
  Options options = weights("f32");
  std::optional<FewAddresses> few;
  options.progress = [&](const std::string&, size_t done, size_t total) {
    if (done == total) few.emplace(uint64_t{32} << 20);
    return true;
  };
  Report report;
  const std::string said = [&]() -> std::string {
    try {
      report = convert::convert(folder.path(), folder.path("out.linnet"), options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }();
  REQUIRE(few);
  const bool was_set = few->set();
  few.reset();
  if (!was_set) {
    MESSAGE("skipped: this system does not bound the addresses of a process");
    return;
  }
  CHECK(said == "");
  REQUIRE(report.notes.size() == 1);
  CHECK_MESSAGE(report.notes[0].rfind(folder.path("out.linnet") + ": mapping ", 0) == 0, report.notes[0]);
  CHECK(report.notes[0].find("not checked") != std::string::npos);
  const Result<Model> model = Model::open(folder.path("out.linnet").c_str(), {.verify_checksums = true});
  CHECK_MESSAGE(model.ok(), model.status().message());
}
