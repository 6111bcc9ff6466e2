// GGUF files of every decoder family: the same answers as the checkpoint that they were made from.
#include <doctest/doctest.h>

#include "convert/architectures/small_falcons.h"
#include "convert/architectures/small_frames.h"
#include "convert/architectures/small_gpts.h"
#include "convert/gguf_builder.h"

using namespace linnet;
using namespace linnet::convert;
using oracle::frames::Frame;

namespace {

using Names = std::vector<std::pair<std::string, std::string>>;  // of a layer: in the file, in the checkpoint

/// Writes what a converter would: tensors renamed, `rows` applied to each.
template <class Rows>
void copy(const FakeCheckpoint& c, const std::string& from, GgufBuilder& b, const std::string& to, Rows rows) {
  for (const char* ending : {".weight", ".bias"}) {
    if (!c.has(from + ending)) continue;
    std::vector<uint64_t> shape = c.tensor(from + ending).shape;
    std::vector<float> values = rows(to, c.read(from + ending), &shape);
    b.floats(to + ending, shape, values);
  }
}

std::vector<float> as_it_is(const std::string&, std::vector<float> values, std::vector<uint64_t>*) { return values; }

std::vector<float> logits_of(const std::string& source) {
  const CheckpointFolder folder("gguf-decoder");
  convert::convert(source, folder.path("out.linnet"), oracle::weights("f32"));
  return oracle::run_decoder(tests::must(Model::open(folder.path("out.linnet").c_str())), tests::tokens(25, 31));
}

std::vector<float> logits_of(const GgufBuilder& b) {
  const CheckpointFolder folder("gguf-file");
  return logits_of(write_bytes(folder.path("model.gguf"), b.bytes()));
}

std::vector<float> logits_of(const FakeCheckpoint& c) {
  const CheckpointFolder folder("gguf-original");
  folder.write(c);
  return logits_of(folder.path());
}

// ---------------------------------------------------------------- Llama's frame

GgufBuilder frame_keys(const std::string& arch) {
  using namespace oracle::frames;
  GgufBuilder b;
  b.text("general.architecture", arch);
  auto count = [&](const std::string& key, size_t value) { b.whole(arch + "." + key, static_cast<uint32_t>(value)); };
  count("context_length", 128), count("embedding_length", kHidden), count("block_count", kLayers), count("feed_forward_length", kInner);
  count("attention.head_count", kHeads), count("attention.head_count_kv", kKvHeads);
  count("attention.key_length", kWidth), count("attention.value_length", kWidth);
  b.number(arch + ".attention.layer_norm_rms_epsilon", 1e-6f);
  return b;
}

/// `paired`: rows of q and k as this architecture's files have them; `added` to every norm; `mlp_norm` is the checkpoint's name.
void add_frame(GgufBuilder& b, const FakeCheckpoint& c, bool paired, float added, const std::string& mlp_norm) {
  using namespace oracle::frames;
  const Names layer = {{"attn_norm", "input_layernorm"},
                       {"attn_q", "self_attn.q_proj"},
                       {"attn_k", "self_attn.k_proj"},
                       {"attn_v", "self_attn.v_proj"},
                       {"attn_output", "self_attn.o_proj"},
                       {"ffn_norm", mlp_norm},
                       {"ffn_gate", "mlp.gate_proj"},
                       {"ffn_up", "mlp.up_proj"},
                       {"ffn_down", "mlp.down_proj"},
                       {"attn_q_norm", "self_attn.q_norm"},
                       {"attn_k_norm", "self_attn.k_norm"},
                       {"attn_qkv", "self_attn.qkv_proj"},
                       {"ffn_up", "mlp.gate_up_proj"},
                       {"post_ffw_norm", "post_feedforward_layernorm"},
                       {"post_attention_norm", mlp_norm == "post_attention_layernorm" ? "-" : "post_attention_layernorm"}};
  auto rows = [&](const std::string& to, std::vector<float> values, std::vector<uint64_t>*) {
    const bool query = to.find("attn_q") == to.size() - 6, key = to.find("attn_k") == to.size() - 6;
    if (paired && (query || key)) return paired_rows(values, query ? kHeads : kKvHeads, kWidth);
    if (to.find("norm") != std::string::npos)
      for (float& value : values) value += added;
    return values;
  };
  copy(c, "model.embed_tokens", b, "token_embd", rows), copy(c, "model.norm", b, "output_norm", rows),
      copy(c, "lm_head", b, "output", rows);
  for (size_t i = 0; i < kLayers; ++i)
    for (const auto& [gguf, name] : layer)
      copy(c, "model.layers." + std::to_string(i) + "." + name, b, "blk." + std::to_string(i) + "." + gguf, rows);
}

/// The last norm of a layer's three names; OLMo 2 has no norm before its MLP.
constexpr const char* kUsual = "post_attention_layernorm";
constexpr const char* kBefore = "pre_feedforward_layernorm";

// ---------------------------------------------------------------- GPT-2's relatives

GgufBuilder gpt_keys(const std::string& arch, uint32_t kv_heads) {
  using namespace oracle::gpt;
  GgufBuilder b;
  b.text("general.architecture", arch);
  auto count = [&](const std::string& key, size_t value) { b.whole(arch + "." + key, static_cast<uint32_t>(value)); };
  count("context_length", kPositions), count("embedding_length", kHidden), count("block_count", kLayers);
  count("feed_forward_length", kInner), count("attention.head_count", kHeads), count("attention.head_count_kv", kv_heads);
  b.number(arch + ".attention.layer_norm_epsilon", 1e-5f);
  return b;
}

template <class Rows>
void add_layers(GgufBuilder& b, const FakeCheckpoint& c, const std::string& layers, const Names& names, Rows rows) {
  for (size_t i = 0; i < oracle::gpt::kLayers; ++i)
    for (const auto& [gguf, name] : names)
      copy(c, layers + std::to_string(i) + "." + name, b, "blk." + std::to_string(i) + "." + gguf, rows);
}

const Names kGptLayer = {{"attn_norm", "ln_1"}, {"attn_qkv", "attn.c_attn"}, {"attn_output", "attn.c_proj"},
                         {"ffn_norm", "ln_2"},  {"ffn_up", "mlp.c_fc"},      {"ffn_down", "mlp.c_proj"}};

/// Matrices as [out, in]; tables and norms stay.
std::vector<float> straightened(const std::string& to, const std::vector<float>& values, std::vector<uint64_t>* shape) {
  if (shape->size() < 2 || to.rfind("blk.", 0) != 0) return values;
  std::vector<float> out(values.size());
  const uint64_t in = (*shape)[0], rows = (*shape)[1];
  for (uint64_t r = 0; r < rows; ++r)
    for (uint64_t k = 0; k < in; ++k) out[r * in + k] = values[k * rows + r];
  *shape = {rows, in};
  return out;
}

/// Rows of q, k and v of each head -> all q, all k, all v.
std::vector<float> sorted_rows(const std::string& to, const std::vector<float>& values, std::vector<uint64_t>* shape) {
  using namespace oracle::gpt;
  if (to.find("attn_qkv") == std::string::npos) return values;
  const size_t block = kWidth * values.size() / (*shape)[0];
  std::vector<float> out;
  for (size_t which = 0; which < 3; ++which)
    for (size_t head = 0; head < kHeads; ++head) {
      const auto first = values.begin() + static_cast<long>((3 * head + which) * block);
      out.insert(out.end(), first, first + static_cast<long>(block));
    }
  return out;
}

}  // namespace

TEST_CASE("files of the families in Llama's frame answer as their checkpoints do") {
  using namespace oracle::frames;
  Frame plain, windowed, heads, whole;
  windowed.windows.assign(kLayers, 5);
  heads.head_norms = true;
  whole.pre_norms = false, whole.post_norms = true, whole.whole_norms = true;
  struct Row {
    const char* arch;
    Json config;
    Frame frame;
    bool bias, paired;
  };
  const Row rows[] = {
      {"llama", {{"model_type", "mistral"}, {"sliding_window", 5}}, windowed, false, true},
      {"qwen2", {{"model_type", "qwen2"}}, plain, true, false},
      {"qwen3", {{"model_type", "qwen3"}}, heads, false, false},
      {"olmo2", {{"model_type", "olmo2"}, {"rms_norm_eps", 1e-6}}, whole, false, false},
      {"smollm3", {{"model_type", "smollm3"}, {"rope_theta", 10000}}, plain, false, true},
      {"granite",
       {{"model_type", "granite"},
        {"attention_multiplier", 0.25},
        {"embedding_multiplier", 3},
        {"residual_multiplier", 0.5},
        {"logits_scaling", 2}},
       plain,
       false,
       true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.arch);
    const FakeCheckpoint c = checkpoint_of(row.config, row.frame, row.bias);
    GgufBuilder b = frame_keys(row.arch);
    const std::string arch = row.arch;
    if (arch == "llama") b.whole("llama.attention.sliding_window", 5);
    if (arch == "granite")
      b.number("granite.attention.scale", 0.25f)
          .number("granite.embedding_scale", 3)
          .number("granite.residual_scale", 0.5f)
          .number("granite.logit_scale", 2);
    add_frame(b, c, row.paired, 0, arch == "olmo2" ? kBefore : kUsual);
    CHECK(logits_of(b) == logits_of(c));
  }
}

TEST_CASE("files of Gemma hold norms with their 1, and what else differs between its generations in keys") {
  using namespace oracle::frames;
  const FakeCheckpoint one = checkpoint_of({{"model_type", "gemma"}}, gemma_frame());
  GgufBuilder b = frame_keys("gemma");
  add_frame(b, one, false, 1, kUsual);
  CHECK(logits_of(b) == logits_of(one));

  const FakeCheckpoint two =
      checkpoint_of({{"model_type", "gemma2"}, {"query_pre_attn_scalar", kWidth}, {"sliding_window", 6}}, four_norms());
  b = frame_keys("gemma2").whole("gemma2.attention.sliding_window", 6);
  b.number("gemma2.attn_logit_softcapping", 50).number("gemma2.final_logit_softcapping", 30);
  add_frame(b, two, false, 1, kBefore);
  CHECK(logits_of(b) == logits_of(two));
  // attention.scale wins over what the sizes say.
  const FakeCheckpoint scaled =
      checkpoint_of({{"model_type", "gemma2"}, {"query_pre_attn_scalar", 16}, {"sliding_window", 6}}, four_norms());
  CHECK(logits_of(b.number("gemma2.attention.scale", 0.25f)) == logits_of(scaled));

  Frame f = four_norms();
  f.head_norms = true;
  const Json config = {
      {"model_type", "gemma3_text"}, {"query_pre_attn_scalar", kWidth},
      {"sliding_window", 6},         {"rope_theta", 5000},
      {"rope_local_base_freq", 300}, {"layer_types", {"sliding_attention", "full_attention", "full_attention", "sliding_attention"}}};
  const FakeCheckpoint three = checkpoint_of(config, f);
  b = frame_keys("gemma3")
          .whole("gemma3.attention.sliding_window", 6)
          .number("gemma3.rope.freq_base", 5000)
          .number("gemma3.rope.freq_base_swa", 300);
  b.wholes("gemma3.attention.sliding_window_pattern", {1, 0, 0, 1});
  add_frame(b, three, false, 1, kBefore);
  CHECK(logits_of(b) == logits_of(three));
}

TEST_CASE("files of Phi-3 keep its fused matrices, and the factors for long texts as tensors") {
  using namespace oracle::frames;
  const std::vector<float> near = {1, 1.1f, 1.2f, 1.5f, 2}, far = {1.5f, 2, 3, 4, 8};
  const FakeCheckpoint plain = checkpoint_of({{"model_type", "phi3"}, {"rms_norm_eps", 1e-6}}, Frame());
  for (uint32_t original : {16u, 64u}) {
    const FakeCheckpoint c = fused(plain, {{"sliding_window", 9},
                                           {"original_max_position_embeddings", original},
                                           {"rope_scaling", {{"type", "longrope"}, {"short_factor", near}, {"long_factor", far}}}});
    GgufBuilder b =
        frame_keys("phi3").whole("phi3.attention.sliding_window", 9).whole("phi3.rope.scaling.original_context_length", original);
    add_frame(b, c, false, 0, kUsual);
    b.floats("rope_factors_short.weight", {5}, near).floats("rope_factors_long.weight", {5}, far);
    CHECK(logits_of(b) == logits_of(c));
  }
}

TEST_CASE("files of GPT-2 and StarCoder hold ordinary matrices") {
  using namespace oracle::gpt;
  const FakeCheckpoint two = gpt2_checkpoint("transformer.", true), star = bigcode_checkpoint(true);
  GgufBuilder b = gpt_keys("gpt2", kHeads);
  copy(two, "transformer.wte", b, "token_embd", as_it_is), copy(two, "transformer.wpe", b, "position_embd", as_it_is);
  copy(two, "transformer.ln_f", b, "output_norm", as_it_is);
  add_layers(b, two, "transformer.h.", kGptLayer, straightened);
  CHECK(logits_of(b) == logits_of(two));
  b = gpt_keys("starcoder", 1);
  copy(star, "transformer.wte", b, "token_embd", as_it_is), copy(star, "transformer.wpe", b, "position_embd", as_it_is);
  copy(star, "transformer.ln_f", b, "output_norm", as_it_is);
  add_layers(b, star, "transformer.h.", kGptLayer, as_it_is);
  CHECK(logits_of(b) == logits_of(star));
}

TEST_CASE("files of GPT-NeoX hold all queries, then all keys, then all values") {
  using namespace oracle::gpt;
  for (bool parallel : {true, false}) {
    const FakeCheckpoint c = neox_checkpoint(parallel, true, 0.67);
    GgufBuilder b = gpt_keys("gptneox", kHeads);
    b.flag("gptneox.use_parallel_residual", parallel).whole("gptneox.rope.dimension_count", 4).number("gptneox.rope.freq_base", 500);
    copy(c, "gpt_neox.embed_in", b, "token_embd", as_it_is), copy(c, "embed_out", b, "output", as_it_is);
    copy(c, "gpt_neox.final_layer_norm", b, "output_norm", as_it_is);
    add_layers(b, c, "gpt_neox.layers.",
               {{"attn_norm", "input_layernorm"},
                {"attn_qkv", "attention.query_key_value"},
                {"attn_output", "attention.dense"},
                {"ffn_norm", "post_attention_layernorm"},
                {"ffn_up", "mlp.dense_h_to_4h"},
                {"ffn_down", "mlp.dense_4h_to_h"}},
               sorted_rows);
    CHECK(logits_of(b) == logits_of(c));
  }
}

TEST_CASE("files of Falcon hold queries, keys and values apart, and with two norms call them the other way round") {
  using oracle::falcons::Shape;
  const Shape shapes[] = {
      {.heads = 4, .kv_heads = 1, .grouped = false, .norms = 0, .multi_query = true, .parallel = true, .bias = false, .alibi = false},
      {.heads = 6, .kv_heads = 2, .grouped = true, .norms = 2, .multi_query = true, .parallel = true, .bias = true, .alibi = false}};
  for (const Shape& s : shapes) {
    const FakeCheckpoint c = oracle::falcons::checkpoint_of(s);
    const size_t width = oracle::falcons::kWidth, hidden = s.heads * width, group = s.heads / s.kv_heads;
    GgufBuilder b;
    b.text("general.architecture", "falcon");
    auto count = [&](const std::string& key, size_t value) { b.whole("falcon." + key, static_cast<uint32_t>(value)); };
    count("context_length", 2048), count("embedding_length", hidden), count("block_count", oracle::falcons::kLayers);
    count("feed_forward_length", oracle::falcons::kInner), count("attention.head_count", s.heads);
    count("attention.head_count_kv", s.kv_heads);
    b.number("falcon.attention.layer_norm_epsilon", 1e-5f).text("falcon.tensor_data_layout", "jploski");
    // Query heads in their order, then the keys, then the values.
    auto rows = [&](const std::string& to, const std::vector<float>& values, std::vector<uint64_t>* shape) {
      if (to.find("attn_qkv") == std::string::npos) return values;
      const size_t block = width * values.size() / (*shape)[0];
      std::vector<float> sorted;
      for (size_t which = 0; which < 3; ++which)
        for (size_t head = 0; head < s.kv_heads; ++head) {
          const size_t first = head * (group + 2) + (which == 0 ? 0 : group + which - 1), heads = which == 0 ? group : 1;
          sorted.insert(sorted.end(), values.begin() + static_cast<long>(first * block),
                        values.begin() + static_cast<long>((first + heads) * block));
        }
      return sorted;
    };
    copy(c, "transformer.word_embeddings", b, "token_embd", as_it_is), copy(c, "transformer.ln_f", b, "output_norm", as_it_is);
    add_layers(b, c, "transformer.h.",
               {{"attn_norm", "input_layernorm"},
                {"attn_norm", "ln_mlp"},
                {"attn_norm_2", "ln_attn"},
                {"attn_qkv", "self_attention.query_key_value"},
                {"attn_output", "self_attention.dense"},
                {"ffn_up", "mlp.dense_h_to_4h"},
                {"ffn_down", "mlp.dense_4h_to_h"}},
               rows);
    CHECK(logits_of(b) == logits_of(c));
  }
}

TEST_CASE("what these files ask for and nobody computes is refused by its key") {
  using namespace oracle::gpt;
  auto refusal = [](const GgufBuilder& b) {
    const CheckpointFolder folder("gguf-refusal");
    try {
      open_checkpoint(write_bytes(folder.path("model.gguf"), b.bytes()));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  auto with = [&](const std::string& arch, uint32_t kv_heads, auto change) {
    GgufBuilder b = gpt_keys(arch, kv_heads);
    b.floats("token_embd.weight", {kWords, kHidden}, std::vector<float>(kWords * kHidden, 1.0f));
    change(b);
    return refusal(b);
  };
  const auto nothing = [](GgufBuilder&) {};
  CHECK(with("gpt2", kHeads, nothing) == "");
  CHECK(with("gpt2", 2, nothing).find("gpt2.attention.head_count_kv") != std::string::npos);
  CHECK(with("starcoder", 2, nothing).find("starcoder.attention.head_count_kv") != std::string::npos);
  CHECK(with("gpt2", kHeads, [](GgufBuilder& b) { b.number("gpt2.attention.scale", 1); }).find("gpt2.attention.scale") !=
        std::string::npos);
  CHECK(with("gptneox", kHeads, [](GgufBuilder& b) { b.flag("gptneox.attention.causal", false); }).find("attention.causal") !=
        std::string::npos);
  CHECK(with("gptj", kHeads, nothing).find("GGUF architecture gptj is not supported") != std::string::npos);
}
