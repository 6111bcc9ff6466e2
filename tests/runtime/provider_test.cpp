// XNNPACK at work inside a session: chosen when planned, within its budget, and as indifferent to how the work is cut as our own kernels.
#include <doctest/doctest.h>

#include "convert/golden_case.h"
#include "kernels/xnnpack.h"
#include "runtime/session_impl.h"
#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;
namespace xnnpack = linnet::kernels::xnnpack;

namespace {

/// Runs of XNNPACK operators since the session was made.
uint64_t operators_run(const Session& session) {
  const Session::Impl& impl = session.impl();
  uint64_t runs = 0;
  for (size_t p = 0; p < impl.file().programs().size(); ++p) {
    const format::Program& program = impl.file().programs()[p];
    for (size_t i = 0; i < program.nodes.size(); ++i)
      if (program.nodes[i].type == schema::Options::Linear && impl.constants[p][i]) runs += xnnpack::slices_run(impl.constants[p][i]);
  }
  return runs;
}

std::vector<float> encoded(Session* session, std::span<const int32_t> ids, std::span<const int32_t> types = {}) {
  const Input input{.tokens = ids, .token_types = types};
  must(session->run("encode", {&input, 1}));
  return output(*session, "last_hidden_state");
}

// Elsewhere than on x86, XNNPACK's products may add in an order that depends on the number of rows; then they are not used.
#if defined(__x86_64__)
const bool kExpected = LINNET_WITH_XNNPACK;
#else
const bool kExpected = LINNET_WITH_XNNPACK && xnnpack::available();
#endif

bool absent() {
  if (kExpected) return false;
  MESSAGE("skipped: this build was made without XNNPACK, or this processor's adds differently for one row and for many");
  return true;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

}  // namespace

TEST_CASE("an f32 encoder runs XNNPACK operators in the default build, and says what they took") {
  if (absent()) return;
  const Model model = open_converted(encoder_checkpoint(), "f32");
  Session session = opened(model, {});
  CHECK(session.plan().provider() > 0);
  CHECK(operators_run(session) == 0);
  encoded(&session, tokens(19, 97));
  CHECK(operators_run(session) > 0);
}

TEST_CASE("the f32 BERT golden cases run XNNPACK operators in the default build") {
  if (absent()) return;
  const auto folders = convert::golden_folders({"bert_mlm"});
  if (folders.empty()) MESSAGE("skipped: ../shared/goldens is not here");
  for (const auto& folder : folders) {
    const convert::TemporaryFile file("provider.linnet");
    convert::Options options;
    options.weights = "f32";
    convert::convert(folder.string(), file.path, options);
    const Model model = must(Model::open(file.path.c_str()));
    const convert::GoldenCase golden(folder);
    Session session = opened(model, {});
    const std::vector<float> hidden = encoded(&session, golden.tensors.at("input_ids").whole, golden.tensors.at("token_type_ids").whole);
    CHECK(largest_difference(hidden, golden.tensors.at("last_hidden_state").floats) < 1e-3);
    CHECK(operators_run(session) > 0);
  }
}

TEST_CASE("what XNNPACK computes differs from our kernels by rounding only") {
  if (absent()) return;
  const Model model = open_converted(encoder_checkpoint(), "f32");
  Session with = opened(model, {}), without = opened(model, {.provider_memory = 0});
  const std::vector<int32_t> ids = tokens(41, 97);
  CHECK(largest_difference(encoded(&with, ids), encoded(&without, ids)) < 1e-4);
}

TEST_CASE("threads and neighbours do not change a bit of what XNNPACK computes") {
  if (absent()) return;
  const Model model = open_converted(encoder_checkpoint(), "f32");
  const std::vector<int32_t> a = tokens(31, 97, 1), b = tokens(1, 97, 2), c = tokens(64, 97, 3);
  Session alone = opened(model, {.sequences = 3, .threads = 1});
  std::vector<float> apart;
  for (const std::vector<int32_t>* ids : {&a, &b, &c}) {
    const std::vector<float> one = encoded(&alone, *ids);
    apart.insert(apart.end(), one.begin(), one.end());
  }
  for (uint32_t threads : {1u, 2u, 3u, 5u}) {
    Session session = opened(model, {.sequences = 3, .threads = threads});
    const std::vector<Input> inputs = {{.tokens = a}, {.tokens = b}, {.tokens = c}};
    must(session.run("encode", inputs));
    CHECK(same_bytes(output(session, "last_hidden_state"), apart));
  }
}

TEST_CASE("copies stay within limits.provider_memory, and the portable level has none") {
  const Model model = open_converted(encoder_checkpoint(), "f32");
  const uint64_t everything = planned(model, {}).provider();
  CHECK((everything > 0) == kExpected);
  uint64_t before = 0;
  for (uint64_t budget : {uint64_t{0}, uint64_t{1}, everything / 3, everything / 2, everything}) {
    const uint64_t taken = planned(model, {.provider_memory = budget}).provider();
    CHECK(taken <= budget);
    CHECK(taken >= before);
    before = taken;
  }
  CHECK(before == everything);
  CHECK(planned(model, {.isa = "portable"}).provider() == 0);
}

TEST_CASE("quantized weights and steps of a decoder are never copied") {
  for (const char* weights : {"int8", "int4", "f16"}) CHECK(planned(open_converted(encoder_checkpoint(), weights), {}).provider() == 0);
  CHECK(planned(open_converted(decoder_checkpoint(), "f32"), {}).provider() == 0);
}
