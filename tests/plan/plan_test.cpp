#include "linnet/plan.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "convert/golden_case.h"
#include "linnet/report.h"
#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

std::string refusal(const Model& model, const Limits& limits) {
  Result<Plan> result = plan(model, limits);
  CHECK(result.status().code() == Code::invalid_argument);
  return result.status().message();
}

bool says(const std::string& text, std::initializer_list<const char*> words) {
  for (const char* word : words)
    if (text.find(word) == std::string::npos) return false;
  return true;
}

/// The most bytes alive at one operation of one program, counted again from the reported lifetimes, and pairs that overlap.
struct Lives {
  uint64_t peak = 0, end = 0;
  size_t overlaps = 0;
};

Lives lives_of(const Plan& plan) {
  Lives lives;
  for (size_t i = 0; i < plan.lifetimes(); ++i) {
    const Plan::Lifetime a = plan.lifetime(i);
    uint64_t live = 0;
    for (size_t j = 0; j < plan.lifetimes(); ++j) {
      const Plan::Lifetime b = plan.lifetime(j);
      if (a.program != b.program) continue;
      if (b.first <= a.first && a.first <= b.last) live += b.bytes;
      const bool together = a.first <= b.last && b.first <= a.last, meet = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
      lives.overlaps += i < j && together && meet;
    }
    lives.peak = std::max(lives.peak, live);
    lives.end = std::max(lives.end, a.offset + a.bytes);
  }
  return lives;
}

void check_sums(const Plan& plan) {
  CHECK(plan.arena() >= plan.control() + plan.state() + plan.activations() + plan.scratch() + plan.constants() + plan.provider());
  // Parts begin on multiples of 64: nothing else may lie between them.
  CHECK(plan.arena() < plan.control() + plan.state() + plan.activations() + plan.scratch() + plan.constants() + plan.provider() + 6 * 64);
  const Lives lives = lives_of(plan);
  CHECK(lives.overlaps == 0);
  CHECK(lives.peak == plan.lower_bound());
  CHECK(lives.end == plan.activations() + plan.scratch());
  CHECK(plan.ratio() <= 1.05);
}

std::string written(const Plan& plan, void (*report)(const Plan&, Write, void*) noexcept) {
  std::string text;
  report(
      plan, [](void* user, const char* piece, size_t size) { static_cast<std::string*>(user)->append(piece, size); }, &text);
  return text;
}

}  // namespace

TEST_CASE("every zero of the limits is filled in") {
  const Model decoder = open_converted(decoder_checkpoint(), "int8"), encoder = open_converted(encoder_checkpoint(), "int8");
  const Plan d = planned(decoder, {}), e = planned(encoder, {});
  CHECK(d.limits().context == 512);
  CHECK(d.limits().batch_tokens == 512);
  CHECK(d.limits().outputs == 1);
  CHECK(d.limits().threads >= 1);
  CHECK(!d.limits().isa.empty());
  CHECK(e.limits().context == 128);
  CHECK(e.limits().batch_tokens == 128);
  CHECK(e.limits().outputs == 128);
  CHECK(e.state() == 0);
  CHECK(d.state() > 0);
}

TEST_CASE("what a model cannot serve is refused by name, with both numbers") {
  const Model model = open_converted(decoder_checkpoint(), "f32");
  CHECK(says(refusal(model, {.context = 513}), {"limits.context", "513", "512"}));
  CHECK(says(refusal(model, {.batch_tokens = UINT32_MAX}), {"limits.batch_tokens", "4294967295"}));
  CHECK(says(refusal(model, {.sequences = UINT32_MAX}), {"limits.sequences", "4294967295"}));
  CHECK(says(refusal(model, {.batch_tokens = 4, .outputs = 5}), {"limits.outputs", "5", "4"}));
  CHECK(says(refusal(model, {.threads = 100000}), {"limits.threads", "100000"}));
  CHECK(says(refusal(model, {.isa = "neon3"}), {"limits.isa", "neon3"}));
  CHECK(!fits(model, {.context = 513}, UINT64_MAX));
}

TEST_CASE("a kernel level that LINNET_ISA names in vain is refused, unless the limits name one") {
  const Model model = open_converted(decoder_checkpoint(), "f32");
  const char* before = std::getenv("LINNET_ISA");
  const std::string kept = before ? before : "";
  setenv("LINNET_ISA", "neon3", 1);
  CHECK(says(refusal(model, {}), {"LINNET_ISA", "neon3"}));
  CHECK(planned(model, {.isa = "portable"}).limits().isa == "portable");
  if (before)
    setenv("LINNET_ISA", kept.c_str(), 1);
  else
    unsetenv("LINNET_ISA");
}

TEST_CASE("sums, lifetimes and the lower bound agree, and placement is within five percent of it") {
  for (const char* weights : {"f32", "int8", "int4"})
    for (const auto& checkpoint : {decoder_checkpoint(), encoder_checkpoint()}) {
      const Model model = open_converted(checkpoint, weights);
      for (uint32_t batch : {1u, 17u, 100u})
        for (uint32_t threads : {1u, 4u}) check_sums(planned(model, {.batch_tokens = batch, .sequences = 3, .threads = threads}));
    }
}

TEST_CASE("golden models are placed within five percent of the lower bound") {
  auto folders = convert::golden_folders({"bert_", "sbert_bert", "llama_", "gpt2", "gpt_neo", "gpt_bigcode", "openai_gpt", "falcon",
                                          "mistral", "qwen2", "qwen3", "gemma", "olmo2", "phi3", "smollm3", "granite"});
  std::erase_if(folders,
                [](const std::filesystem::path& folder) { return folder.filename() == "qwen3_vl" || folder.filename() == "qwen3_moe"; });
  if (folders.empty()) {
    MESSAGE("skipped: there is no shared data (LINNET_SHARED)");
    return;
  }
  double worst = 1;
  for (const auto& folder : folders)
    for (const char* weights : {"f32", "int8", "int4"}) {
      CAPTURE(folder.string());
      const convert::TemporaryFile file("golden.linnet");
      convert::Options options;
      options.weights = weights;
      convert::convert(folder.string(), file.path, options);
      const Model model = must(Model::open(file.path.c_str()));
      for (uint32_t batch : {1u, 24u, 64u}) {
        const Plan plan = planned(model, {.batch_tokens = batch, .threads = 2});
        check_sums(plan);
        worst = std::max(worst, plan.ratio());
      }
    }
  MESSAGE("largest ratio to the lower bound: ", worst);
}

TEST_CASE("a plan is what a session takes, and fits says so to the byte") {
  const Model model = open_converted(decoder_checkpoint(), "int8");
  const Limits limits{.context = 300, .batch_tokens = 20, .sequences = 4, .threads = 2};
  const Plan plan = planned(model, limits);
  CHECK(fits(model, limits, plan.arena()));
  CHECK(!fits(model, limits, plan.arena() - 1));
  CHECK(plan.mapped_weights() == model.weight_bytes());
}

TEST_CASE("state pages: encodings and lengths cost what they must") {
  const Model model = open_converted(decoder_checkpoint(), "f32");
  auto state = [&](uint32_t context, uint32_t sequences, StateEncoding encoding) {
    return planned(model, {.context = context, .sequences = sequences, .threads = 1, .state = encoding}).state();
  };
  // 2 layers, 20 channels of keys and of values, pages of 64 positions, rows padded to some lanes.
  CHECK(state(512, 1, StateEncoding::f32) >= 512 * 2 * 40 * 4);
  CHECK(state(512, 1, StateEncoding::f32) <= 512 * 2 * 64 * 4);
  CHECK(state(512, 4, StateEncoding::f32) == 4 * state(512, 1, StateEncoding::f32));
  CHECK(state(65, 1, StateEncoding::f32) == state(128, 1, StateEncoding::f32));
  CHECK(state(512, 1, StateEncoding::f16) * 2 == state(512, 1, StateEncoding::f32));
  CHECK(state(512, 1, StateEncoding::int8) < state(512, 1, StateEncoding::f16));
}

TEST_CASE("reports: JSON parses and repeats the numbers, the drawing is whole") {
  const Model model = open_converted(decoder_checkpoint(), "int4");
  const Plan plan = planned(model, {.context = 100, .threads = 2});
  const nlohmann::json json = nlohmann::json::parse(written(plan, write_json));
  CHECK(json.at("arena") == plan.arena());
  CHECK(json.at("state") == plan.state());
  size_t pieces = 0;
  for (size_t i = 0; i < plan.lifetimes(); ++i) pieces += plan.lifetime(i).bytes != 0;
  CHECK(json.at("lifetimes").size() == pieces);
  const std::string svg = written(plan, write_svg), text = written(plan, write_text);
  CHECK(svg.rfind("<svg", 0) == 0);
  CHECK(svg.find("</svg>") != std::string::npos);
  CHECK(text.find("arena") != std::string::npos);
}

TEST_CASE("a shared plan outlives the first handle") {
  const Model model = open_converted(decoder_checkpoint(), "f32");
  Plan second = planned(model, {.context = 10}).share();
  CHECK(second.limits().context == 10);
  CHECK(Session::create(model, second).ok());
}
