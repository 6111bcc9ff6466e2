// Golden cases of decoders with experts (shared/goldens). Where weights are rounded, a token may take another expert if two scores are
// nearer to each other than the error of the scores; it is left out of the comparison then, and so is nothing else.
#include <doctest/doctest.h>

#include <numeric>

#include "convert/converted.h"
#include "convert/golden_case.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

using Numbers = std::vector<float>;

/// Everything that the model says of the case's ids.
std::map<std::string, Numbers> outputs_of(const GoldenCase& one, const std::string& weights) {
  const TemporaryFile file(one.folder.filename().string() + "-" + weights + ".linnet");
  Options options;
  options.weights = weights;
  options.trace = true;
  convert::convert(one.folder.string(), file.path, options);
  const Model model = tests::must(Model::open(file.path.c_str(), {.map = false}));
  const std::vector<int32_t>& ids = one.tensors.at("input_ids").whole;
  const auto count = static_cast<uint32_t>(ids.size());
  Session session = tests::opened(model, {.context = count, .batch_tokens = count, .outputs = count, .threads = 2});
  const Input input{.sequence = tests::must(session.add()), .tokens = ids};
  tests::must(session.run("generate", {&input, 1}, {.outputs = RunOptions::Outputs::all}));
  std::map<std::string, Numbers> all = {{"logits", tests::output(session)}};
  for (const auto& [name, tensor] : one.tensors)
    if (name.rfind("router_logits.", 0) == 0) all[name] = tests::output(session, name.c_str());
  return all;
}

std::vector<size_t> best(const float* scores, size_t experts, size_t count) {
  std::vector<size_t> order(experts);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return {order.begin(), order.begin() + static_cast<long>(count)};
}

/// Tokens that take other experts than in the reference, in any layer. Each must be excused by the error of the scores.
std::vector<bool> other_experts(const GoldenCase& one, std::map<std::string, Numbers>& got) {
  std::vector<bool> other(one.tensors.at("input_ids").whole.size());
  for (const auto& [name, want] : one.tensors) {
    if (name.rfind("router_logits.", 0) != 0) continue;
    const GoldenTensor& chosen = one.tensors.at("router_topk." + name.substr(14));
    const size_t experts = want.shape.back(), count = chosen.shape.back();
    REQUIRE(got[name].size() == want.floats.size());
    double error = 0;
    for (size_t i = 0; i < want.floats.size(); ++i) error = std::max(error, std::fabs(double{got[name][i]} - want.floats[i]));
    for (size_t t = 0; t < other.size(); ++t) {
      std::vector<size_t> reference, ours = best(got[name].data() + t * experts, experts, count);
      for (size_t k = 0; k < count; ++k) reference.push_back(static_cast<size_t>(chosen.whole[t * count + k]));
      std::sort(reference.begin(), reference.end()), std::sort(ours.begin(), ours.end());
      if (ours == reference) continue;
      other[t] = true;
      const std::vector<size_t> order = best(want.floats.data() + t * experts, experts, count + 1);
      CHECK(want.floats[t * experts + order[count - 1]] - want.floats[t * experts + order[count]] < 2 * error);
    }
  }
  return other;
}

}  // namespace

TEST_CASE("decoders with experts say what the reference says, at every number of bits") {
  const auto folders = golden_folders({"mixtral", "qwen2_moe", "qwen3_moe", "olmoe", "gpt_oss"});
  if (folders.empty()) MESSAGE("skipped: ../shared/goldens is not there");
  for (const auto& folder : folders) {
    const GoldenCase one(folder);
    CAPTURE(folder.filename().string());
    const Numbers& want = one.tensors.at("logits").floats;
    const size_t tokens = one.tensors.at("input_ids").whole.size(), words = want.size() / tokens;
    const Numbers exact = outputs_of(one, "f32").at("logits");
    double worst = 0;
    for (size_t i = 0; i < want.size(); ++i) worst = std::max(worst, std::fabs(double{exact[i]} - want[i]));
    CHECK(worst <= one.description["tolerance_f32"]["max_abs"].get<double>());
    for (const auto& [weights, kind, factor, more] : {std::tuple{"int8", "q8_0", 3, 2e-4}, {"int4", "q4_0", 2, 2e-3}}) {
      std::map<std::string, Numbers> got = outputs_of(one, weights);
      const std::vector<bool> other = other_experts(one, got);
      double dot = 0, aa = 0, bb = 0;
      size_t left_out = 0;
      for (size_t t = 0; t < tokens; ++t) {
        left_out += other[t];
        for (size_t i = t * words; i < (t + 1) * words && !other[t]; ++i) {
          const double a = double{got["logits"][i]}, b = double{want[i]};
          dot += a * b, aa += a * a, bb += b * b;
        }
      }
      CAPTURE(std::string(weights));
      CHECK(left_out < tokens / 2);
      CHECK(dot / std::sqrt(aa * bb) >= 1 - (factor * one.loss(kind) + more));
    }
  }
}
