// What a session really takes: opening time, anonymous memory before and after, and whether any second mapping of weight size exists.
//
//   bench_memory MODEL [CONTEXT]           an existing model

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "core/platform.h"
#include "linnet/session.h"

namespace {

using namespace linnet;

struct Memory {
  uint64_t anonymous = 0;                       // bytes
  std::vector<uint64_t> mappings;               // sizes of mappings of files that are not libraries
};

Memory measure(const std::string& model) {
  Memory memory;
  std::ifstream smaps("/proc/self/smaps");
  bool ours = false;
  for (std::string line; std::getline(smaps, line);) {
    unsigned long long kib = 0;
    if (std::sscanf(line.c_str(), "Anonymous: %llu kB", &kib) == 1) memory.anonymous += kib << 10;
    if (line.find('-') != std::string::npos && line.find(' ') > 8 && line.find(':') != std::string::npos && std::isxdigit(line[0]))
      ours = line.size() >= model.size() && line.compare(line.size() - model.size(), model.size(), model) == 0;
    if (ours && std::sscanf(line.c_str(), "Size: %llu kB", &kib) == 1) memory.mappings.push_back(kib << 10);
  }
  return memory;
}

template <class T>
T take(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "bench_memory: {}\n", result.status().message());
    std::exit(1);
  }
  return std::move(*result);
}

double mebibytes(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

void run_once(Session& session, const Model& model) {
  bool stateful = model.program(0).kind == "autoregressive";
  std::vector<int32_t> ids(session.plan().limits().batch_tokens, 1);
  std::vector<float> features;
  Input input;
  if (stateful) input.sequence = take(session.add());
  if (model.input(0, 0).role == "features") {
    features.resize(static_cast<size_t>(session.plan().limits().patches) * model.input(0, 0).columns);
    input.features = features;
  } else {
    input.tokens = ids;
  }
  Status status = session.run(model.program(0).name, {&input, 1});
  if (!status.ok()) {
    fmt::print(stderr, "bench_memory: {}\n", status.message());
    std::exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_memory MODEL [CONTEXT]\n");
    return 2;
  }
  const char* path = argv[1];
  char* resolved = realpath(path, nullptr);
  std::string full = resolved ? resolved : path;
  std::free(resolved);
  take(Model::open(path));   // the page cache and our own pages are warm after this
  Memory before = measure(full);
  double best = 1e9;
  for (int i = 0; i < 10; ++i) {
    uint64_t start = core::now();
    take(Model::open(path));
    best = std::min(best, static_cast<double>(core::now() - start) * 1e-6);
  }
  Model model = take(Model::open(path));
  Limits limits;
  if (argc > 2) limits.context = static_cast<uint32_t>(std::atoi(argv[2]));
  Plan planned = take(plan(model, limits));
  Session session = take(Session::create(model, planned));
  run_once(session, model);
  Memory after = measure(full);
  uint64_t allowed = before.anonymous + planned.arena() + (2u << 20);
  fmt::print("open            {:.2f} ms (best of 10, file cached), file {:.1f} MiB\n", best, mebibytes(model.file_bytes()));
  fmt::print("plan            {} bytes ({:.2f} MiB)\n", planned.arena(), mebibytes(planned.arena()));
  fmt::print("Anonymous       {:.2f} MiB before open, {:.2f} MiB after a run, allowed {:.2f} MiB: {}\n", mebibytes(before.anonymous),
             mebibytes(after.anonymous), mebibytes(allowed), after.anonymous <= allowed ? "within" : "ABOVE");
  fmt::print("mappings        of the file: {}\n", after.mappings.size());
  for (uint64_t bytes : after.mappings) fmt::print("                {:.2f} MiB\n", mebibytes(bytes));
  return after.anonymous <= allowed && after.mappings.size() == 1 ? 0 : 1;
}
