#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

bool contains(const Status& status, const char* word) { return std::string(status.message()).find(word) != std::string::npos; }

size_t files_in(const convert::CheckpointFolder& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator()));
}

struct Saved {
  explicit Saved(const Limits& limits = {.context = 128, .sequences = 2, .threads = 1}) : session(opened(model, limits)) {
    sequence = must(session.add());
    must(session.prefill("generate", {.sequence = sequence, .tokens = tokens(70)}));
    must(session.save(sequence, path.c_str()));
  }
  convert::CheckpointFolder folder{"save"};
  std::string path = folder.path("state");
  Model model = open_converted(decoder_checkpoint(), "int8");
  Session session;
  SequenceId sequence;
};

}  // namespace

TEST_CASE("a saved state belongs to its model, its encoding and its sizes") {
  Saved saved;
  const Model other = open_converted(decoder_checkpoint(), "int4");
  Session session = opened(other, {.context = 128, .threads = 1});
  Status status = session.restore(saved.path.c_str()).status();
  CHECK(status.code() == Code::mismatch);
  CHECK(contains(status, "model"));
  size_t accepted = 0;
  for (StateEncoding encoding : {StateEncoding::f32, StateEncoding::f16, StateEncoding::int8}) {
    Session same = opened(saved.model, {.context = 128, .threads = 1, .state = encoding});
    const Result<SequenceId> restored = same.restore(saved.path.c_str());
    const bool fits = restored.ok() || restored.status().code() == Code::mismatch;
    CHECK(fits);
    accepted += restored.ok();
  }
  CHECK(accepted == 1);
  Session shorter = opened(saved.model, {.context = 69, .threads = 1});
  status = shorter.restore(saved.path.c_str()).status();
  CHECK(status.code() == Code::context_full);
  CHECK(contains(status, "70"));
  CHECK(contains(status, "69"));
  CHECK(must(shorter.add()) == 0);  // the place was given back
}

TEST_CASE("a state that was damaged anywhere is refused, and its place given back") {
  Saved saved;
  const std::string good = read_file(saved.path);
  std::vector<std::string> bad;
  for (size_t length : {size_t{0}, size_t{1}, size_t{30}, size_t{63}, size_t{64}, good.size() / 2, good.size() - 1})
    bad.push_back(good.substr(0, length));
  bad.push_back(good + "x");
  for (size_t at = 0; at < good.size(); at += at < 80 ? 1 : 997) {
    bad.push_back(good);
    bad.back()[at] = static_cast<char>(bad.back()[at] ^ 0x10);
  }
  for (const std::string& bytes : bad) {
    write_file(saved.path, bytes);
    const Status status = saved.session.restore(saved.path.c_str()).status();
    CHECK(!status.ok());
    const bool said = status.code() == Code::corrupt || status.code() == Code::mismatch || status.code() == Code::unsupported;
    CHECK(said);
  }
  write_file(saved.path, good);
  CHECK(saved.session.restore(saved.path.c_str()).ok());
}

TEST_CASE("files that cannot be read or written are named") {
  Saved saved;
  Status status = saved.session.restore(saved.folder.path("nothing").c_str()).status();
  CHECK(status.code() == Code::not_found);
  CHECK(contains(status, "nothing"));
  status = saved.session.save(saved.sequence, saved.folder.path("no/folder").c_str());
  CHECK(!status.ok());
  CHECK(contains(status, "no/folder"));
  CHECK(saved.session.save(99, saved.path.c_str()).code() == Code::invalid_argument);
  CHECK(saved.session.save(saved.sequence, nullptr).code() == Code::invalid_argument);
  CHECK(saved.session.restore(nullptr).status().code() == Code::invalid_argument);
  CHECK(Model::open(nullptr).status().code() == Code::invalid_argument);
}

TEST_CASE("a disk that fills up leaves the old state and nothing half-written") {
  Saved saved;
  const std::string good = read_file(saved.path);
  must(saved.session.prefill("generate", {.sequence = saved.sequence, .tokens = tokens(20)}));
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const Status status = saved.session.save(saved.sequence, saved.path.c_str());
  setrlimit(RLIMIT_FSIZE, &old);
  CHECK(status.code() == Code::io);
  CHECK(read_file(saved.path) == good);
  CHECK(files_in(saved.folder) == 1);
}

TEST_CASE("what was rewound is not in the file, whoever's page it was") {
  for (StateEncoding state : {StateEncoding::f32, StateEncoding::f16, StateEncoding::int8}) {
    convert::CheckpointFolder folder{"save_rewound"};
    const std::string path = folder.path("state");
    Saved saved;
    Session session = opened(saved.model, {.context = 200, .sequences = 2, .threads = 1, .state = state});
    const SequenceId clean = must(session.add());
    must(session.prefill("generate", {.sequence = clean, .tokens = tokens(70)}));
    must(session.save(clean, path.c_str()));
    const std::string wanted = read_file(path);
    must(session.prefill("generate", {.sequence = clean, .tokens = tokens(20)}));
    const SequenceId copy = must(session.fork(clean));
    for (SequenceId sequence : {clean, copy}) {
      must(session.rewind(sequence, 20));
      must(session.save(sequence, path.c_str()));
      CHECK(read_file(path) == wanted);
    }
  }
}

TEST_CASE("saving twice gives the same bytes") {
  Saved saved;
  const std::string first = read_file(saved.path);
  const SequenceId copy = must(saved.session.restore(saved.path.c_str()));
  must(saved.session.save(copy, saved.path.c_str()));
  CHECK(read_file(saved.path) == first);
  CHECK(files_in(saved.folder) == 1);
}
