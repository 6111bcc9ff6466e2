// What choosing one token costs: microseconds for a draw from a vocabulary of random logits, by what is asked of the sampler.
//   bench_sampling [VOCABULARY]
// One thread; processor time, the best of many repetitions.
#include "linnet/sampling.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <vector>

namespace {

using namespace linnet;

double processor_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Call>
double best_microseconds(Call call) {
  double best = 1e9;
  const double end = processor_seconds() + 0.3;
  do {
    const double start = processor_seconds();
    call();
    best = std::min(best, processor_seconds() - start);
  } while (processor_seconds() < end);
  return best * 1e6;
}

// A few likely tokens above a wide field, as models write; and logits that are all alike, the worst case of every selection.
std::vector<float> row(size_t vocabulary, bool flat) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, flat ? 1e-3f : 3.0f);
  std::vector<float> logits(vocabulary);
  for (float& logit : logits) logit = normal(random);
  if (!flat)
    for (size_t i = 0; i < vocabulary; i += vocabulary / 8 + 1) logits[i] += 20;
  return logits;
}

}  // namespace

int main(int count, char** arguments) {
  const size_t vocabulary = count > 1 ? static_cast<size_t>(std::atoi(arguments[1])) : 150000;
  const std::vector<float> peaked = row(vocabulary, false), flat = row(vocabulary, true);
  const std::vector<int32_t> ids(2000, 7);
  const struct {
    const char* name;
    Sampling sampling;
  } cases[] = {
      {"greedy", {}},
      {"greedy, penalties", {.repetition_penalty = 1.1f, .presence_penalty = 0.5f, .frequency_penalty = 0.1f}},
      {"temperature", {.temperature = 0.8f}},
      {"top-k 50", {.temperature = 0.8f, .top_k = 50}},
      {"top-k 1000", {.temperature = 0.8f, .top_k = 1000}},
      {"top-p 0.95", {.temperature = 0.8f, .top_p = 0.95f}},
      {"top-k 50, top-p 0.95, min-p 0.05", {.temperature = 0.8f, .top_k = 50, .top_p = 0.95f, .min_p = 0.05f}},
      {"top-k 50, typical 0.9", {.temperature = 0.8f, .top_k = 50, .typical = 0.9f}},
      {"typical 0.9", {.temperature = 0.8f, .typical = 0.9f}},
  };
  fmt::print("{:<36}{:>12}{:>12}   microseconds a draw, vocabulary {}\n", "", "peaked", "flat", vocabulary);
  for (const auto& [name, sampling] : cases) {
    Result<Sampler> sampler = Sampler::create(vocabulary, sampling);
    if (!sampler.ok()) return fmt::print(stderr, "bench_sampling: {}\n", sampler.status().message()), 1;
    uint64_t place = 0;
    auto draw = [&](const std::vector<float>& logits) {
      return best_microseconds([&] { sampler->draw(logits, {.ids = ids, .before = ++place}); });
    };
    const double first = draw(peaked), second = draw(flat);
    fmt::print("{:<36}{:>12.0f}{:>12.0f}\n", name, first, second);
  }
  Result<LogProbabilities> found = LogProbabilities::create(vocabulary, 10);
  if (!found.ok()) return fmt::print(stderr, "bench_sampling: {}\n", found.status().message()), 1;
  fmt::print("{:<36}{:>12.0f}{:>12.0f}\n", "log-probabilities, 10 best", best_microseconds([&] { found->read(peaked); }),
             best_microseconds([&] { found->read(flat); }));
  return 0;
}
