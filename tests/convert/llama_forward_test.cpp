// Checkpoints of many shapes, converted and run, against the formulas in double precision.
#include <doctest/doctest.h>

#include "convert/converted.h"
#include "convert/llama_oracle.h"

using namespace linnet;
using namespace linnet::oracle;

namespace {

constexpr double kRounding = 1e-4;     // of f32 arithmetic, relative to the largest logit
constexpr double kActivations = 0.06;  // of inputs rounded to 8 bits, as a distance

std::string text_of(const LlamaShape& s) { return llama_config(s).dump(); }

std::vector<int32_t> ids_of(const LlamaShape& s, size_t count, uint32_t seed) {
  return tests::tokens(count, static_cast<int32_t>(s.vocabulary), seed);
}

const LlamaShape kShapes[] = {
    {},
    {.hidden = 64, .layers = 2, .heads = 8, .kv_heads = 4, .head_dim = 8, .intermediate = 172, .vocabulary = 512},
    {.hidden = 36, .layers = 2, .heads = 3, .kv_heads = 3, .head_dim = 20, .intermediate = 172, .vocabulary = 3},
    {.hidden = 50, .heads = 2, .kv_heads = 1, .head_dim = 6, .intermediate = 13, .vocabulary = 1},
    {.hidden = 7, .layers = 3, .heads = 1, .kv_heads = 1, .head_dim = 2, .intermediate = 5, .vocabulary = 2},
    {.hidden = 130, .heads = 6, .kv_heads = 2, .head_dim = 22, .intermediate = 350, .vocabulary = 131, .tied = false},
    {.hidden = 264, .heads = 4, .kv_heads = 2, .head_dim = 66, .intermediate = 300, .vocabulary = 67},
    {.hidden = 33,
     .layers = 2,
     .heads = 5,
     .kv_heads = 1,
     .head_dim = 14,
     .intermediate = 95,
     .vocabulary = 257,
     .attention_bias = true,
     .mlp_bias = true,
     .tied = false},
    {.hidden = 48, .heads = 4, .kv_heads = 2, .head_dim = 12, .intermediate = 80, .activation = "gelu_pytorch_tanh", .partial = 0.5},
};

LlamaShape random_shape(uint32_t seed) {
  std::mt19937 random(seed);
  auto between = [&](size_t low, size_t high) { return low + random() % (high - low + 1); };
  const size_t kv_heads = between(1, 3);
  const char* activations[] = {"silu", "gelu", "gelu_new", "relu", "quick_gelu"};
  return {.hidden = between(3, 140),
          .layers = between(1, 3),
          .heads = kv_heads * between(1, 4),
          .kv_heads = kv_heads,
          .head_dim = 2 * between(1, 20),
          .intermediate = between(1, 300),
          .vocabulary = between(1, 200),
          .activation = activations[seed % 5],
          .attention_bias = random() % 2 == 0,
          .mlp_bias = random() % 2 == 0,
          .tied = random() % 2 == 0,
          .theta = 500.0 * static_cast<double>(between(1, 1000)),
          .new_spelling = random() % 2 == 0};
}

std::vector<LlamaShape> shapes() {
  std::vector<LlamaShape> all(std::begin(kShapes), std::end(kShapes));
  for (uint32_t seed = 1; seed <= 12; ++seed) all.push_back(random_shape(seed));
  return all;
}

}  // namespace

TEST_CASE("llama of any shape computes what the formulas say") {
  for (const LlamaShape& s : shapes()) {
    CAPTURE(text_of(s));
    const convert::FakeCheckpoint checkpoint = llama_checkpoint(s, 7);
    const std::vector<int32_t> ids = ids_of(s, 23, 5);
    const Vector expected = flat(llama(tensors_of(checkpoint), s, ids));
    CHECK(error(run_decoder(converted(checkpoint, weights("f32")), ids), expected) < kRounding);
    CHECK(distance(run_decoder(converted(checkpoint, weights("f16")), ids), expected) < 0.01);
  }
}

TEST_CASE("a quantized llama computes the formulas on the weights that it stores, and those are near the checkpoint's") {
  for (const LlamaShape& s : shapes()) {
    const convert::FakeCheckpoint checkpoint = llama_checkpoint(s, 11);
    const std::vector<int32_t> ids = ids_of(s, 19, 3);
    const Vector original = flat(llama(tensors_of(checkpoint), s, ids));
    for (const std::string encoding : {"int8", "int4"}) {
      CAPTURE(text_of(s));
      CAPTURE(encoding);
      const Model simulated = converted(checkpoint, weights(encoding, true));
      const Vector stored = flat(llama(tensors_of(simulated), s, ids));
      CHECK(error(run_decoder(simulated, ids), stored) < kRounding);
      CHECK(distance(run_decoder(converted(checkpoint, weights(encoding)), ids), stored) < kActivations);
      const std::vector<float> narrow(stored.begin(), stored.end());
      CHECK(distance(narrow, original) < (encoding == "int8" ? 0.04 : 0.4));
    }
  }
}

TEST_CASE("every scaling of the rotary frequencies is the one of the formulas, before and beyond the trained length") {
  const convert::Json ropes[] = {
      nullptr,
      {{"rope_type", "default"}},
      {{"type", "linear"}, {"factor", 4.0}},
      {{"rope_type", "dynamic"}, {"factor", 3.0}},
      {{"rope_type", "llama3"},
       {"factor", 8.0},
       {"low_freq_factor", 1.0},
       {"high_freq_factor", 4.0},
       {"original_max_position_embeddings", 20}},
      {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 8}},
      {{"rope_type", "yarn"}, {"factor", 2.0}, {"original_max_position_embeddings", 16}, {"attention_factor", 0.8}, {"beta_fast", 20}},
      {{"type", "longrope"},
       {"short_factor", {1.0, 1.1, 1.2, 1.5}},
       {"long_factor", {2.0, 3.0, 4.0, 6.0}},
       {"original_max_position_embeddings", 16}},
  };
  for (const convert::Json& rope : ropes)
    for (bool new_spelling : {false, true})
      for (size_t count : {size_t{9}, size_t{40}}) {
        const LlamaShape s = {.hidden = 24,
                              .layers = 2,
                              .heads = 3,
                              .kv_heads = 1,
                              .head_dim = 8,
                              .intermediate = 20,
                              .theta = 1000,
                              .positions = 32,
                              .rope = rope,
                              .new_spelling = new_spelling};
        if (count > 32 && (rope.is_null() || rope.value("rope_type", "") != "dynamic")) continue;  // beyond what the file allows
        CAPTURE(text_of(s));
        CAPTURE(count);
        const convert::FakeCheckpoint checkpoint = llama_checkpoint(s, 3);
        const std::vector<int32_t> ids = ids_of(s, count, 9);
        CHECK(error(run_decoder(converted(checkpoint, weights("f32")), ids), flat(llama(tensors_of(checkpoint), s, ids))) < kRounding);
      }
}

TEST_CASE("longrope takes the long factors beyond the original length") {
  const LlamaShape s = {.hidden = 24,
                        .heads = 3,
                        .kv_heads = 3,
                        .head_dim = 8,
                        .intermediate = 20,
                        .positions = 64,
                        .rope = {{"type", "su"},
                                 {"short_factor", {1.0, 1.1, 1.2, 1.5}},
                                 {"long_factor", {2.0, 3.0, 4.0, 6.0}},
                                 {"original_max_position_embeddings", 16}}};
  const convert::FakeCheckpoint checkpoint = llama_checkpoint(s, 3);
  for (size_t count : {size_t{16}, size_t{17}}) {
    const std::vector<int32_t> ids = ids_of(s, count, 9);
    CHECK(error(run_decoder(converted(checkpoint, weights("f32")), ids), flat(llama(tensors_of(checkpoint), s, ids))) < kRounding);
  }
}

namespace {

/// Multiplies rows or columns of a tensor, `channels` of them, by a factor.
void scale(convert::FakeCheckpoint& checkpoint, const std::string& name, bool rows, const std::vector<size_t>& channels, float by) {
  std::vector<float> values = checkpoint.read(name);
  const std::vector<uint64_t> shape = checkpoint.tensor(name).shape;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t channel = rows && shape.size() == 2 ? i / shape[1] : i % shape.back();
    if (std::find(channels.begin(), channels.end(), channel) != channels.end()) values[i] *= by;
  }
  checkpoint.put(name, shape, values);
}

}  // namespace

TEST_CASE("outlying channels that cancel between neighbouring matrices are folded away") {
  const LlamaShape s = {
      .hidden = 48, .layers = 2, .heads = 4, .kv_heads = 2, .head_dim = 12, .intermediate = 96, .attention_bias = true, .mlp_bias = true};
  convert::FakeCheckpoint checkpoint = llama_checkpoint(s, 5);
  for (const char* layer : {"model.layers.0.", "model.layers.1."}) {
    const std::string attn = std::string(layer) + "self_attn.", mlp = std::string(layer) + "mlp.";
    scale(checkpoint, std::string(layer) + "input_layernorm.weight", true, {5, 30}, 80);
    for (const char* name : {"q_proj", "k_proj", "v_proj"}) scale(checkpoint, attn + name + ".weight", false, {5, 30}, 1 / 80.0f);
    // Value channel 1 of head 0 is read in columns 1 and 13 of o, channel 2 of head 1 in columns 26 and 38.
    for (const char* name : {"v_proj.weight", "v_proj.bias"}) scale(checkpoint, attn + name, true, {1, 14}, 80);
    scale(checkpoint, attn + "o_proj.weight", false, {1, 13, 26, 38}, 1 / 80.0f);
    for (const char* name : {"up_proj.weight", "up_proj.bias"}) scale(checkpoint, mlp + name, true, {7, 70}, 80);
    scale(checkpoint, mlp + "down_proj.weight", false, {7, 70}, 1 / 80.0f);
  }
  const std::vector<int32_t> ids = ids_of(s, 17, 3);
  const Vector plain = flat(llama(tensors_of(llama_checkpoint(s, 5)), s, ids)), scaled = flat(llama(tensors_of(checkpoint), s, ids));
  CHECK(distance({scaled.begin(), scaled.end()}, plain) < 1e-5);
  for (const std::string encoding : {"int8", "int4"}) {
    CAPTURE(encoding);
    convert::Options folded = weights(encoding), left = weights(encoding);
    left.fold = false;
    const double with = distance(run_decoder(converted(checkpoint, folded), ids), plain);
    CHECK(with < (encoding == "int8" ? 0.06 : 0.4));
    CHECK(with < 0.7 * distance(run_decoder(converted(checkpoint, left), ids), plain));
    folded.simulate = true;
    const Model simulated = converted(checkpoint, folded);
    CHECK(error(run_decoder(simulated, ids), flat(llama(tensors_of(simulated), s, ids))) < kRounding);
  }
}

TEST_CASE("the turn before down changes what is rounded, not what is computed") {
  const LlamaShape s = {.hidden = 40, .layers = 2, .heads = 4, .kv_heads = 4, .head_dim = 10, .intermediate = 192};
  const convert::FakeCheckpoint checkpoint = llama_checkpoint(s, 6);
  const std::vector<int32_t> ids = ids_of(s, 17, 3);
  const Vector expected = flat(llama(tensors_of(checkpoint), s, ids));
  for (bool turn : {false, true}) {
    convert::Options options = weights("int8");
    options.turn = turn;
    CHECK(distance(run_decoder(converted(checkpoint, options), ids), expected) < kActivations);
  }
}
