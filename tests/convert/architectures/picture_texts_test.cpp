// Models that read pictures in their texts, against the reference: what they see, and the logits of texts with pictures and without.
#include <doctest/doctest.h>

#include "convert/converted.h"
#include "convert/golden_case.h"
#include "linnet/pictures.h"

using namespace linnet;
using namespace linnet::convert;
using Numbers = std::vector<float>;

namespace {

Model converted_case(const GoldenCase& one, const std::string& weights) {
  const TemporaryFile file(one.folder.filename().string() + "-" + weights + ".linnet");
  Options options;
  options.weights = weights;
  convert::convert(one.folder.string(), file.path, options);
  return tests::must(Model::open(file.path.c_str(), {.map = false}));
}

struct Reading {
  PictureFormat format;
  std::vector<PictureGrid> grids;
  Numbers parts;  // of all pictures, as the text takes them
};

/// One frame at a time, the outputs side by side.
Reading see(const Model& model, const GoldenCase& one) {
  Reading all{tests::must(picture_format(model)), {}, {}};
  const GoldenTensor &pixels = one.tensors.at("pixel_values"), &sizes = one.tensors.at("image_grid_thw");
  Session session = tests::opened(model, {.context = 8, .patches = 4096, .threads = 2});
  size_t at = 0;
  for (size_t i = 0; i < sizes.whole.size(); i += 3) {
    const auto size = [&](size_t axis) { return static_cast<uint32_t>(sizes.whole[i + axis]); };
    all.grids.push_back({size(0), size(1), size(2)});
    std::vector<int32_t> places(size_t{size(1)} * size(2) * 4);
    tests::must(picture_places(all.format, all.grids.back(), places));
    for (uint32_t frame = 0; frame < size(0); ++frame) {
      const size_t numbers = places.size() / 4 * pixels.shape.back();
      const Input input{.positions = places, .features = std::span(pixels.floats).subspan(at, numbers)};
      at += numbers;
      tests::must(session.run(all.format.see, {&input, 1}));
      const size_t parts = places.size() / 4 / (all.format.merge * all.format.merge);
      std::vector<Matrix> outputs = {tests::must(session.output("image_features"))};
      for (size_t n = 0; outputs.size() * outputs[0].columns < all.format.columns; ++n)
        outputs.push_back(tests::must(session.output("deepstack_features." + std::to_string(n))));
      for (size_t r = 0; r < parts; ++r)
        for (const Matrix& matrix : outputs) all.parts.insert(all.parts.end(), matrix.row(r).begin(), matrix.row(r).end());
    }
  }
  return all;
}

/// Logits of every token, `chunk` tokens at a time. Without pictures where `reading` is null.
Numbers read(const Model& model, const Reading& reading, const std::vector<int32_t>& ids, bool with_pictures, size_t chunk) {
  const auto count = static_cast<uint32_t>(ids.size());
  Session session = tests::opened(
      model, {.context = count, .batch_tokens = count, .outputs = count, .patches = count, .threads = 2, .state = StateEncoding::f32});
  const SequenceId sequence = tests::must(session.add());
  std::vector<int32_t> positions(ids.size() * 3);
  int32_t next = 0;
  if (with_pictures) tests::must(picture_positions(reading.format, ids, reading.grids, 0, positions, &next));
  Numbers all;
  for (size_t first = 0, used = 0; first < ids.size(); first += chunk) {
    Input input{.sequence = sequence, .tokens = std::span(ids).subspan(first, std::min(chunk, ids.size() - first))};
    if (with_pictures) {
      const auto places = static_cast<size_t>(std::count(input.tokens.begin(), input.tokens.end(), reading.format.token));
      input.positions = std::span(positions).subspan(first * 3, input.tokens.size() * 3);
      input.features = std::span(reading.parts).subspan(used * reading.format.columns, places * reading.format.columns);
      used += places;
    }
    tests::must(session.run(reading.format.write, {&input, 1}, {.outputs = RunOptions::Outputs::all}));
    const Numbers part = tests::output(session);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

double cosine(const Numbers& a, const Numbers& b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += double{a[i]} * b[i], aa += double{a[i]} * a[i], bb += double{b[i]} * b[i];
  return dot / std::sqrt(aa * bb);
}

}  // namespace

TEST_CASE("Qwen3-VL sees and reads what the reference does, whole and in chunks, at every number of bits") {
  const auto folders = golden_folders({"qwen3_vl"});
  if (folders.empty()) MESSAGE("skipped: ../shared/goldens is not there");
  for (const auto& folder : folders) {
    const GoldenCase one(folder);
    CAPTURE(folder.filename().string());
    const std::vector<int32_t>&ids = one.tensors.at("input_ids").whole, &plain = one.tensors.at("text_only_input_ids").whole;
    const Numbers &want = one.tensors.at("logits").floats, &want_plain = one.tensors.at("text_only_logits").floats;
    for (const auto& [weights, kind, factor, more] :
         {std::tuple{"f32", "", 0, 0.0}, {"int8", "q8_0", 3, 2e-4}, {"int4", "q4_0", 2, 2e-3}}) {
      const Model model = converted_case(one, weights);
      const Reading reading = see(model, one);
      const Numbers got = read(model, reading, ids, true, SIZE_MAX), text = read(model, reading, plain, false, SIZE_MAX);
      REQUIRE(got.size() == want.size());
      REQUIRE(text.size() == want_plain.size());
      CHECK(tests::same_bytes(read(model, reading, ids, true, 1), got));
      CHECK(tests::same_bytes(read(model, reading, ids, true, 7), got));
      if (factor != 0) {
        CHECK(cosine(got, want) >= 1 - (factor * one.loss(kind) + more));
        CHECK(cosine(text, want_plain) >= 1 - (factor * one.loss(kind) + more));
        continue;
      }
      const float most = one.description["tolerance_f32"]["max_abs"].get<float>();
      for (size_t i = 0; i < got.size(); ++i) REQUIRE(std::fabs(got[i] - want[i]) <= most);
      for (size_t i = 0; i < text.size(); ++i) REQUIRE(std::fabs(text[i] - want_plain[i]) <= most);
    }
  }
}
