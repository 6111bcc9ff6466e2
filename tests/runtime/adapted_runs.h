// What the tests of adapters share: limits with room for them, whole runs, and how far results lie apart.
#pragma once

#include <cmath>

#include "convert/adapters/adapter_folder.h"
#include "linnet/adapter.h"

namespace linnet::tests {

inline Limits decoder_limits(uint32_t threads = 1) {
  return {.context = 256, .batch_tokens = 200, .sequences = 4, .outputs = 200, .threads = threads, .adapters = 3, .adapter_rank = 9};
}

/// All logits of `ids` in one run of a new sequence that uses `adapter`.
inline std::vector<float> run_decoder(Session& session, const std::vector<int32_t>& ids, AdapterId adapter) {
  const SequenceId sequence = must(session.add());
  must(session.use(sequence, adapter));
  const Input input{.sequence = sequence, .tokens = ids};
  must(session.run("generate", {&input, 1}, {.outputs = RunOptions::Outputs::all}));
  std::vector<float> logits = output(session);
  must(session.remove(sequence));
  return logits;
}

inline std::vector<float> run_encoder(Session& session, const std::vector<int32_t>& ids, AdapterId adapter) {
  const Input input{.tokens = ids, .adapter = adapter};
  must(session.run("encode", {&input, 1}));
  return output(session);
}

inline double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(static_cast<double>(a[i]) - b[i]));
  return largest;
}

inline double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i)
    ab += static_cast<double>(a[i]) * b[i], aa += static_cast<double>(a[i]) * a[i], bb += static_cast<double>(b[i]) * b[i];
  return ab / std::sqrt(aa * bb);
}

}  // namespace linnet::tests
