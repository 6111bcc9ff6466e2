// Encoders of pictures against the reference, at every number of bits, and what their pages refuse.
#include <doctest/doctest.h>

#include "convert/converted.h"
#include "convert/golden_case.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

/// Every output for all pictures of a case in one run, and for each alone.
std::map<std::string, std::vector<float>> seen(const Model& model, const GoldenTensor& pixels, bool together) {
  const size_t pictures = pixels.shape[0], numbers = pixels.floats.size() / pictures;
  std::map<std::string, std::vector<float>> all;
  const auto limit = static_cast<uint32_t>(pictures);
  Session session = tests::opened(model, {.sequences = limit, .images = limit, .threads = together ? 2u : 1u});
  for (size_t first = 0; first < pictures; first += together ? pictures : 1) {
    std::vector<Input> inputs;
    for (size_t i = first; i < (together ? pictures : first + 1); ++i)
      inputs.push_back({.features = std::span(pixels.floats).subspan(i * numbers, numbers)});
    tests::must(session.run(model.program(0).name, inputs));
    for (size_t o = 0; o < model.program(0).outputs; ++o) {
      const std::string name(model.output(0, o).name);
      const std::vector<float> part = tests::output(session, name);
      all[name].insert(all[name].end(), part.begin(), part.end());
    }
  }
  return all;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += double{a[i]} * b[i], aa += double{a[i]} * a[i], bb += double{b[i]} * b[i];
  return dot / std::sqrt(aa * bb);
}

Model converted_case(const GoldenCase& one, const std::string& weights) {
  const TemporaryFile file(one.folder.filename().string() + "-" + weights + ".linnet");
  Options options;
  options.weights = weights;
  options.trace = true;
  convert::convert(one.folder.string(), file.path, options);
  return tests::must(Model::open(file.path.c_str(), {.map = false}));
}

}  // namespace

TEST_CASE("encoders of pictures give what the reference gives, for each picture whatever it is seen with, at every number of bits") {
  const auto folders = golden_folders({"vit", "clip", "siglip", "dinov2"});
  if (folders.empty()) MESSAGE("skipped: ../shared/goldens is not there");
  for (const auto& folder : folders) {
    const GoldenCase one(folder);
    CAPTURE(folder.filename().string());
    const GoldenTensor& pixels = one.tensors.at("pixel_values");
    for (const auto& [weights, kind, factor, more] :
         {std::tuple{"f32", "", 0, 0.0}, {"int8", "q8_0", 3, 2e-4}, {"int4", "q4_0", 2, 2e-3}}) {
      const Model model = converted_case(one, weights);
      const auto got = seen(model, pixels, true), alone = seen(model, pixels, false);
      size_t compared = 0;
      for (const auto& [name, numbers] : got) {
        CHECK_MESSAGE(tests::same_bytes(numbers, alone.at(name)), name);
        if (one.tensors.count(name) == 0) continue;
        const GoldenTensor& want = one.tensors.at(name);
        REQUIRE(numbers.size() == want.floats.size());
        ++compared;
        if (factor != 0) {
          CHECK_MESSAGE(cosine(numbers, want.floats) >= 1 - (factor * one.loss(kind) + more), name);
          continue;
        }
        for (size_t i = 0; i < numbers.size(); ++i)
          REQUIRE(std::fabs(numbers[i] - want.floats[i]) <= one.description["tolerance_f32"]["max_abs"].get<float>());
      }
      CHECK(compared >= 2);
    }
  }
}
