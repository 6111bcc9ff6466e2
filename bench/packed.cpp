// A batch of texts of mixed lengths in one run, as it is, beside the same batch padded to its longest: padding tokens are computed there as
// further tokens of each text, as an engine without packing computes them.
//   bench_packed MODEL [--texts N] [--shortest N] [--longest N] [--threads N] [--rounds N] [--seed N]
// Medians of interleaved rounds; the ratio is that of the two times of a round. The tokens that count are the texts' own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "linnet/session.h"

namespace {

using namespace linnet;
using Texts = std::vector<std::vector<int32_t>>;

struct Arguments {
  std::string model;
  uint32_t texts = 32, shortest = 8, longest = 256, threads = 1, rounds = 7, seed = 1;
};

template <class T>
T take(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().message());
  return std::move(*result);
}

/// The program of an encoder of text, and how many ids it has.
struct Encoder {
  std::string_view name;
  uint32_t vocabulary = 0;
};

Encoder find_encoder(const Model& model) {
  for (size_t p = 0; p < model.programs(); ++p)
    for (size_t i = 0; i < model.program(p).inputs; ++i)
      if (model.program(p).kind == "encoder" && model.input(p, i).role == "token_ids")
        return {model.program(p).name, model.input(p, i).bound};
  throw std::runtime_error("the model has no program that encodes text");
}

/// Ids at random, every length from the shortest to the longest equally likely.
Texts mixed_texts(const Arguments& arguments, uint32_t vocabulary) {
  std::mt19937 random(arguments.seed);
  Texts texts(arguments.texts);
  for (auto& text : texts) {
    text.resize(arguments.shortest + random() % (arguments.longest - arguments.shortest + 1));
    for (int32_t& id : text) id = static_cast<int32_t>(random() % vocabulary);
  }
  return texts;
}

Texts padded(Texts texts, uint32_t vocabulary) {
  size_t longest = 0;
  for (const auto& text : texts) longest = std::max(longest, text.size());
  for (auto& text : texts) text.resize(longest, static_cast<int32_t>(vocabulary / 2));
  return texts;
}

size_t tokens_of(const Texts& texts) {
  size_t count = 0;
  for (const auto& text : texts) count += text.size();
  return count;
}

/// A session that is planned for just this batch.
class Batch {
 public:
  Batch(const Model& model, const Encoder& encoder, const Texts& texts, uint32_t threads)
      : texts_(texts), encoder_(encoder), session_(take(Session::create(model, take(plan(model, limits(texts, threads)))))) {}
  double seconds() {
    std::vector<Input> inputs(texts_.size());
    for (size_t i = 0; i < inputs.size(); ++i) inputs[i].tokens = texts_[i];
    const auto start = std::chrono::steady_clock::now();
    const Status status = session_.run(encoder_.name, inputs);
    if (!status.ok()) throw std::runtime_error(status.message());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  uint64_t arena() const { return session_.plan().arena(); }

 private:
  static Limits limits(const Texts& texts, uint32_t threads) {
    Limits limits;
    for (const auto& text : texts) limits.context = std::max(limits.context, static_cast<uint32_t>(text.size()));
    limits.batch_tokens = static_cast<uint32_t>(tokens_of(texts));
    limits.sequences = static_cast<uint32_t>(texts.size());
    limits.outputs = limits.sequences;
    limits.threads = threads;
    return limits;
  }
  const Texts& texts_;
  Encoder encoder_;
  Session session_;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void run(const Arguments& arguments) {
  if (arguments.texts == 0 || arguments.rounds == 0 || arguments.shortest == 0 || arguments.shortest > arguments.longest)
    throw std::runtime_error("texts, rounds and lengths are at least 1, and the longest no shorter than the shortest");
  const Model model = take(Model::open(arguments.model.c_str()));
  const Encoder encoder = find_encoder(model);
  const Texts texts = mixed_texts(arguments, encoder.vocabulary), filled = padded(texts, encoder.vocabulary);
  Batch packed(model, encoder, texts, arguments.threads), full(model, encoder, filled, arguments.threads);
  std::vector<double> short_times, long_times, ratios;
  for (uint32_t round = 0; round <= arguments.rounds; ++round) {
    const double a = packed.seconds(), b = full.seconds();
    if (round == 0) continue;  // the weights' pages come in
    short_times.push_back(a);
    long_times.push_back(b);
    ratios.push_back(b / a);
  }
  const double own = static_cast<double>(tokens_of(texts));
  const auto print = [&](const char* name, size_t tokens, double seconds, uint64_t arena) {
    fmt::print("{:<8} {:>8} {:>10.2f} {:>14.0f} {:>12}\n", name, tokens, seconds * 1e3, own / seconds, arena);
  };
  fmt::print("{} texts of {} to {} tokens, {} threads, {} rounds\n", texts.size(), arguments.shortest, arguments.longest, arguments.threads,
             arguments.rounds);
  fmt::print("{:<8} {:>8} {:>10} {:>14} {:>12}\n", "", "tokens", "ms", "own tokens/s", "arena bytes");
  print("packed", tokens_of(texts), median(short_times), packed.arena());
  print("padded", tokens_of(filled), median(long_times), full.arena());
  fmt::print("packed is {:.2f} times as fast; padding is {:.0f} % of the padded tokens\n", median(ratios),
             100 * (1 - own / static_cast<double>(tokens_of(filled))));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("texts of mixed lengths packed without padding, beside the same texts padded to the longest");
  Arguments arguments;
  app.add_option("MODEL", arguments.model, ".linnet file of an encoder")->required();
  app.add_option("--texts", arguments.texts, "texts of the batch");
  app.add_option("--shortest", arguments.shortest, "tokens of the shortest text");
  app.add_option("--longest", arguments.longest, "tokens of the longest text");
  app.add_option("--threads", arguments.threads);
  app.add_option("--rounds", arguments.rounds);
  app.add_option("--seed", arguments.seed, "of lengths and ids");
  CLI11_PARSE(app, argc, argv);
  try {
    run(arguments);
  } catch (const std::exception& error) {
    return fmt::print(stderr, "bench_packed: {}\n", error.what()), 1;
  }
  return 0;
}
