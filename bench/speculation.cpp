// Writing with drafts beside plain writing: the same ids, and the ratio of the times, medians of interleaved rounds.
//   bench_speculation MODEL [--draft MODEL] [--most N] [--tokens N] [--threads N] [--rounds N]
// "repeating": greedy after a prompt that repeats itself (random weights end in loops, real models copy); "strange": drawn at temperature
// 1.5 after random ids, where nothing can be foreseen and drafts must not cost anything.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "linnet/generate.h"

namespace {

using namespace linnet;

struct Arguments {
  std::string model, draft;
  uint32_t most = 8, tokens = 256, threads = 1, rounds = 5;
};

template <class T>
T take(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().message());
  return std::move(*result);
}

struct Loaded {
  Loaded(const std::string& path, const Arguments& arguments)
      : model(take(Model::open(path.c_str()))),
        session(take(Session::create(
            model, take(plan(model, {.context = 128 + arguments.tokens, .outputs = arguments.most + 1, .threads = arguments.threads}))))) {}
  Model model;
  Session session;
};

struct Kind {
  const char* name;
  std::vector<int32_t> prompt;
  Sampling sampling;
};

struct Timed {
  std::vector<int32_t> ids;
  double seconds;
  GenerateReport report;
};

Timed write(Loaded& main, const Kind& kind, const Speculation& speculation, uint32_t tokens) {
  GenerateOptions options;
  options.max_tokens = tokens;
  options.ignore_eos = true;
  options.sampling = kind.sampling;
  options.speculation = speculation;
  const SequenceId sequence = take(main.session.add());
  Ids ids;
  const GenerateReport report = take(generate(main.session, main.model, sequence, kind.prompt, options, &ids));
  (void)main.session.remove(sequence);
  return {{ids.begin(), ids.end()}, static_cast<double>(report.decode_nanoseconds) * 1e-9, report};
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void run(const Arguments& arguments) {
  Loaded main(arguments.model, arguments);
  std::optional<Loaded> draft;
  if (!arguments.draft.empty()) draft.emplace(arguments.draft, arguments);
  Speculation speculation{.lookup = !draft, .most = arguments.most};
  if (draft) {
    speculation.draft = &draft->session;
    speculation.draft_model = &draft->model;
  }
  std::mt19937 random(1);
  std::vector<int32_t> strange(96), repeating;
  for (int32_t& id : strange) id = static_cast<int32_t>(1 + random() % 400);
  for (size_t i = 0; i < 96; ++i) repeating.push_back(strange[i % 24]);
  const Kind kinds[] = {{"repeating", repeating, {}}, {"strange", strange, {.temperature = 1.5f, .seed = 3}}};
  fmt::print("{:<12} {:>12} {:>12} {:>8} {:>10} {:>8}  ids\n", "text", "plain", "with drafts", "speed", "drafted", "kept");
  for (const Kind& kind : kinds) {
    std::vector<double> plain, drafted, ratios;
    Timed a, b;
    for (uint32_t round = 0; round < arguments.rounds; ++round) {
      a = write(main, kind, {}, arguments.tokens);
      b = write(main, kind, speculation, arguments.tokens);
      plain.push_back(a.seconds);
      drafted.push_back(b.seconds);
      ratios.push_back(a.seconds / b.seconds);
      if (a.ids != b.ids) throw std::runtime_error("the ids differ");
    }
    fmt::print("{:<12} {:>8.0f} t/s {:>8.0f} t/s {:>7.2f}x {:>10} {:>8}  equal\n", kind.name, arguments.tokens / median(plain),
               arguments.tokens / median(drafted), median(ratios), b.report.drafted, b.report.drafts_kept);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("writing with drafts beside plain writing");
  Arguments arguments;
  app.add_option("MODEL", arguments.model)->required();
  app.add_option("--draft", arguments.draft, "a smaller model with the same vocabulary (default: prompt lookup)");
  app.add_option("--most", arguments.most, "drafts in one run");
  app.add_option("--tokens", arguments.tokens);
  app.add_option("--threads", arguments.threads);
  app.add_option("--rounds", arguments.rounds);
  CLI11_PARSE(app, argc, argv);
  try {
    run(arguments);
  } catch (const std::exception& error) {
    return fmt::print(stderr, "bench_speculation: {}\n", error.what()), 1;
  }
  return 0;
}
