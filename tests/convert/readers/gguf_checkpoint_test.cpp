// GGUF files seen as Hugging Face checkpoints: the same names, shapes, numbers and keys, and the same answers.
#include <doctest/doctest.h>

#include "convert/bert_oracle.h"
#include "convert/converted.h"
#include "convert/gguf_builder.h"
#include "convert/golden_case.h"
#include "convert/llama_oracle.h"
#include "convert/readers/gguf_metadata.h"
#include "convert/readers/open.h"

using namespace linnet;
using namespace linnet::convert;
using oracle::BertShape;
using oracle::LlamaShape;

namespace {

const std::pair<const char*, const char*> kDecoderLayer[] = {
    {"attn_norm", "input_layernorm"}, {"attn_q", "self_attn.q_proj"},      {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},   {"attn_output", "self_attn.o_proj"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},    {"ffn_up", "mlp.up_proj"},           {"ffn_down", "mlp.down_proj"}};
const std::pair<const char*, const char*> kBertLayer[] = {{"attn_q", "attention.self.query"},
                                                          {"attn_k", "attention.self.key"},
                                                          {"attn_v", "attention.self.value"},
                                                          {"attn_output", "attention.output.dense"},
                                                          {"attn_output_norm", "attention.output.LayerNorm"},
                                                          {"ffn_up", "intermediate.dense"},
                                                          {"ffn_down", "output.dense"},
                                                          {"layer_output_norm", "output.LayerNorm"}};

void copy(const FakeCheckpoint& c, const std::string& from, GgufBuilder& b, const std::string& to, size_t paired = 0, size_t head_dim = 0) {
  for (const char* ending : {".weight", ".bias"}) {
    if (!c.has(from + ending)) continue;
    const std::vector<float> values = c.read(from + ending);
    b.floats(to + ending, c.tensor(from + ending).shape, paired ? paired_rows(values, paired, head_dim) : values);
  }
}

GgufBuilder llama_keys(const LlamaShape& s, const std::string& arch = "llama") {
  GgufBuilder b;
  auto count = [&](const std::string& key, size_t value) { b.whole(arch + "." + key, static_cast<uint32_t>(value)); };
  b.text("general.architecture", arch);
  count("context_length", s.positions), count("embedding_length", s.hidden), count("block_count", s.layers);
  count("feed_forward_length", s.intermediate), count("attention.head_count", s.heads), count("attention.head_count_kv", s.kv_heads);
  count("attention.key_length", s.head_dim), count("attention.value_length", s.head_dim), count("rope.dimension_count", s.head_dim);
  b.number(arch + ".attention.layer_norm_rms_epsilon", static_cast<float>(s.epsilon));
  b.number(arch + ".rope.freq_base", static_cast<float>(s.theta));
  return b;
}

/// `fused`: q, k and v in one tensor.
void add_llama_tensors(GgufBuilder& b, const FakeCheckpoint& c, const LlamaShape& s, bool fused, bool paired = true) {
  copy(c, "model.embed_tokens", b, "token_embd");
  copy(c, "model.norm", b, "output_norm");
  copy(c, "lm_head", b, "output");
  for (size_t i = 0; i < s.layers; ++i) {
    const std::string from = "model.layers." + std::to_string(i) + ".", to = "blk." + std::to_string(i) + ".";
    for (const auto& [gguf, name] : kDecoderLayer) {
      const bool query = gguf == std::string("attn_q"), key = gguf == std::string("attn_k"), value = gguf == std::string("attn_v");
      if (!fused || !(query || key || value))
        copy(c, from + name, b, to + gguf, !paired ? 0 : query ? s.heads : key ? s.kv_heads : 0, s.head_dim);
    }
    if (!fused) continue;
    for (const char* ending : {".weight", ".bias"}) {
      if (!c.has(from + "self_attn.q_proj" + ending)) continue;
      std::vector<float> all = paired_rows(c.read(from + "self_attn.q_proj" + ending), s.heads, s.head_dim);
      for (float x : paired_rows(c.read(from + "self_attn.k_proj" + ending), s.kv_heads, s.head_dim)) all.push_back(x);
      for (float x : c.read(from + "self_attn.v_proj" + ending)) all.push_back(x);
      std::vector<uint64_t> shape = c.tensor(from + "self_attn.q_proj" + ending).shape;
      shape[0] = (s.heads + 2 * s.kv_heads) * s.head_dim;
      b.floats(to + "attn_qkv" + ending, shape, all);
    }
  }
}

struct GgufFolder {
  explicit GgufFolder(const GgufBuilder& b) { write_bytes(path(), b.bytes()); }
  std::string path() const { return folder.path("model.gguf"); }
  std::unique_ptr<Checkpoint> open() const { return open_checkpoint(path()); }
  Model model() const {
    convert::Options options = oracle::weights("f32");
    convert::convert(path(), folder.path("out.linnet"), options);
    return tests::must(Model::open(folder.path("out.linnet").c_str()));
  }
  CheckpointFolder folder{"gguf-checkpoint"};
};

std::string refusal(const GgufBuilder& b) {
  const GgufFolder folder(b);
  try {
    folder.open();
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find(folder.path()) == 0);
    return error.what();
  }
  return "";
}

bool says(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

const LlamaShape kSmall = {.hidden = 24, .layers = 2, .heads = 6, .kv_heads = 2, .head_dim = 8, .intermediate = 20, .vocabulary = 11};

GgufBuilder small() {
  GgufBuilder b = llama_keys(kSmall);
  add_llama_tensors(b, oracle::llama_checkpoint(kSmall, 3), kSmall, false);
  return b;
}

}  // namespace

TEST_CASE("a llama file has the tensors of the checkpoint that it was made from, q and k in their own order") {
  for (bool bias : {false, true})
    for (bool fused : {false, true}) {
      LlamaShape s = kSmall;
      s.attention_bias = s.mlp_bias = bias;
      s.tied = !bias;
      const FakeCheckpoint c = oracle::llama_checkpoint(s, 5);
      GgufBuilder b = llama_keys(s);
      add_llama_tensors(b, c, s, fused);
      const GgufFolder folder(b);
      const auto read = folder.open();
      CHECK(read->is_gguf());
      CHECK(read->tensors().size() == c.tensors().size());
      for (const SourceTensor& tensor : c.tensors()) {
        CAPTURE(tensor.name);
        CHECK(read->tensor(tensor.name).shape == tensor.shape);
        CHECK(read->read(tensor.name) == c.read(tensor.name));
      }
      const Json& config = read->config();
      CHECK(config["model_type"] == "llama");
      CHECK(config["num_key_value_heads"] == 2);
      CHECK(config["head_dim"] == 8);
      CHECK(config["attention_bias"] == bias);
      CHECK(config["mlp_bias"] == bias);
      CHECK(config["tie_word_embeddings"] == !bias);
      const std::vector<int32_t> ids = tests::tokens(13, 11);
      CHECK(oracle::error(oracle::run_decoder(folder.model(), ids), oracle::flat(oracle::llama(oracle::tensors_of(c), s, ids))) < 1e-4);
    }
}

TEST_CASE("rope keys of a llama file mean what config.json would say") {
  struct Row {
    std::vector<std::pair<std::string, std::string>> texts;
    std::vector<std::pair<std::string, float>> numbers;
    Json rope;
  };
  const Row rows[] = {
      {{}, {}, nullptr},
      {{{"rope.scaling.type", "none"}}, {}, nullptr},
      {{{"rope.scaling.type", "linear"}}, {{"rope.scaling.factor", 4}}, {{"type", "linear"}, {"factor", 4.0}}},
      {{}, {{"rope.scale_linear", 2}}, {{"type", "linear"}, {"factor", 2.0}}},
      {{{"rope.scaling.type", "yarn"}},
       {{"rope.scaling.factor", 4}, {"rope.scaling.original_context_length", 16}},
       {{"type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 16}}},
  };
  for (const Row& row : rows) {
    LlamaShape s = kSmall;
    s.rope = row.rope;
    const FakeCheckpoint c = oracle::llama_checkpoint(s, 5);
    GgufBuilder b = llama_keys(s);
    for (const auto& [key, value] : row.texts) b.text("llama." + key, value);
    for (const auto& [key, value] : row.numbers)
      if (key.find("context") != std::string::npos)
        b.whole("llama." + key, static_cast<uint32_t>(value));
      else
        b.number("llama." + key, value);
    add_llama_tensors(b, c, s, false);
    const std::vector<int32_t> ids = tests::tokens(29, 11);
    CAPTURE(row.rope.dump());
    CHECK(oracle::error(oracle::run_decoder(GgufFolder(b).model(), ids), oracle::flat(oracle::llama(oracle::tensors_of(c), s, ids))) <
          1e-4);
  }
  CHECK(says(refusal(small().text("llama.rope.scaling.type", "cubic")), "rope.scaling.type"));
}

TEST_CASE("keys of yarn count where the scaling is yarn, and -1 stands for the usual part") {
  auto yarn = [] { return small().text("llama.rope.scaling.type", "yarn").number("llama.rope.scaling.factor", 4); };
  for (const char* name : {"yarn_log_multiplier", "yarn_attn_factor", "yarn_ext_factor"}) {
    const std::string key = std::string("llama.rope.scaling.") + name;
    CHECK(says(refusal(yarn().number(key, 0.5f)), "'" + key + "'"));
    CHECK(refusal(small().number(key, 0.5f)) == "");
    CHECK(refusal(small().text("llama.rope.scaling.type", "linear").number("llama.rope.scaling.factor", 2).number(key, 0.5f)) == "");
  }
  CHECK(refusal(yarn().number("llama.rope.scaling.yarn_log_multiplier", 0)) == "");
  CHECK(refusal(yarn().number("llama.rope.scaling.yarn_ext_factor", -1)) == "");
  CHECK(refusal(yarn().number("llama.rope.scaling.yarn_attn_factor", 1)) == "");
  CHECK(says(refusal(yarn().number("llama.rope.scaling.yarn_ext_factor", 0)), "yarn_ext_factor"));
}

TEST_CASE("ids of a file that make no sense are refused without the name of a file that is not there") {
  GgufBuilder b = small();
  b.text("tokenizer.ggml.model", "none").whole("tokenizer.ggml.eos_token_id", 4194304u);
  const GgufFolder folder(b);
  CHECK_THROWS_WITH_AS(folder.model(), doctest::Contains("metadata: eos_token_id is [4194304]"), Error);
}

TEST_CASE("frequency divisors kept as tensors are used") {
  LlamaShape s = kSmall;
  s.rope = {{"type", "longrope"}, {"short_factor", {1.0, 2.0, 4.0, 8.0}}, {"long_factor", {1.0, 2.0, 4.0, 8.0}}, {"attention_factor", 1.0}};
  const FakeCheckpoint c = oracle::llama_checkpoint(s, 5);
  const std::vector<int32_t> ids = tests::tokens(29, 11);
  const oracle::Vector expected = oracle::flat(oracle::llama(oracle::tensors_of(c), s, ids));
  GgufBuilder freqs = llama_keys(s), factors = llama_keys(s);
  freqs.floats("rope_freqs.weight", {4}, {1, 2, 4, 8});
  factors.number("llama.rope.scaling.attn_factor", 1).whole("llama.rope.scaling.original_context_length", 8);
  factors.floats("rope_factors_long.weight", {4}, {1, 2, 4, 8}).floats("rope_factors_short.weight", {4}, {1, 2, 4, 8});
  for (GgufBuilder* b : {&freqs, &factors}) {
    add_llama_tensors(*b, c, s, false);
    CHECK(oracle::error(oracle::run_decoder(GgufFolder(*b).model(), ids), expected) < 1e-4);
  }
  GgufBuilder wrong = llama_keys(s);
  wrong.floats("rope_freqs.weight", {5}, {1, 2, 4, 8, 9});
  add_llama_tensors(wrong, c, s, false);
  CHECK_THROWS_WITH_AS(GgufFolder(wrong).model(), doctest::Contains("rope_freqs.weight has 5 values, expected 4"), Error);
}

TEST_CASE("a window, experts and another architecture change the model type, so that nothing is run as a llama") {
  auto type = [](GgufBuilder b) { return GgufFolder(b).open()->config()["model_type"].get<std::string>(); };
  CHECK(type(small().whole("llama.attention.sliding_window", 64)) == "llama");  // as long as the context
  CHECK(type(small().whole("llama.attention.sliding_window", 0)) == "llama");
  CHECK(type(small().whole("llama.attention.sliding_window", 16)) == "mistral");
  CHECK(type(small().whole("llama.expert_count", 4).whole("llama.expert_used_count", 2)) == "mixtral");
  GgufBuilder qwen = llama_keys(kSmall, "qwen2");
  const FakeCheckpoint c = oracle::llama_checkpoint(kSmall, 3);
  add_llama_tensors(qwen, c, kSmall, false, false);
  const auto read = GgufFolder(qwen).open();
  CHECK(read->config()["model_type"] == "qwen2");
  CHECK(read->read("model.layers.1.self_attn.q_proj.weight") == c.read("model.layers.1.self_attn.q_proj.weight"));  // not permuted
}

TEST_CASE("keys that do not fit are refused by name") {
  auto without = [](const std::string& key) {
    GgufBuilder b = small();
    b.pairs.erase(std::remove_if(b.pairs.begin(), b.pairs.end(), [&](const std::string& p) { return says(p, raw_text("llama." + key)); }),
                  b.pairs.end());
    return b;
  };
  for (const char* key : {"block_count", "attention.head_count", "embedding_length", "feed_forward_length", "context_length",
                          "attention.layer_norm_rms_epsilon"})
    CHECK(says(refusal(without(key)), std::string("'llama.") + key + "'"));
  CHECK(says(refusal(without("block_count").text("llama.block_count", "two")), "block_count"));
  CHECK(says(refusal(without("block_count").pair("llama.block_count", 5, raw<int32_t>(-2))), "block_count"));
  CHECK(says(refusal(without("block_count").whole("llama.block_count", 1)), "blk.1.attn_norm.weight' belongs to a layer beyond the 1"));
  CHECK(refusal(without("attention.head_count").wholes("llama.attention.head_count", {6, 6})) == "");
  CHECK(says(refusal(without("attention.head_count").wholes("llama.attention.head_count", {6, 3})), "the same number for every layer"));
  CHECK(says(refusal(without("attention.head_count").wholes("llama.attention.head_count", {})), "a number for each layer"));
  CHECK(says(refusal(without("attention.head_count").whole("llama.attention.head_count", 5)),
             "blk.0.attn_q.weight' has 48 rows, expected 40"));
  CHECK(says(refusal(without("attention.key_length").whole("llama.attention.key_length", 7)), "attention.key_length"));
  CHECK(says(refusal(without("attention.value_length").whole("llama.attention.value_length", 10)), "attention.value_length"));
  CHECK(
      says(refusal(without("attention.layer_norm_rms_epsilon").number("llama.attention.layer_norm_rms_epsilon", NAN)), "a finite number"));
  CHECK(says(refusal(small().flag("llama.attention.causal", false)), "attention.causal"));
  CHECK(says(refusal(small().number("llama.attention.scale", 0.5f)), "attention.scale"));
  CHECK(refusal(small().number("llama.attention.scale", 1 / std::sqrt(8.0f))) == "");
  CHECK(says(refusal(small().whole("llama.expert_count", 1000000)), "expert_count"));
  CHECK(
      says(refusal(GgufBuilder().text("general.architecture", "rwkv7").floats("a", {1}, {1})), "GGUF architecture rwkv7 is not supported"));
  CHECK(says(refusal(GgufBuilder().floats("a", {1}, {1})), "architecture (none)"));
  CHECK(says(refusal(llama_keys(kSmall)), "holds no tensors"));
}

TEST_CASE("what the model refuses of a file's keys begins with the file and names its metadata, not a config.json") {
  LlamaShape s = kSmall;
  s.theta = -2;
  GgufBuilder b = llama_keys(s);
  add_llama_tensors(b, oracle::llama_checkpoint(kSmall, 3), kSmall, false);
  const GgufFolder folder(b);
  try {
    folder.model();
    FAIL("it was converted");
  } catch (const Error& error) {
    const std::string said = error.what();
    CHECK(said.rfind(folder.path() + ": metadata: rope_theta is -2", 0) == 0);
    CHECK(said.find("config.json") == std::string::npos);
  }
}

TEST_CASE("tensors that the architecture does not know are refused, those it leaves out on purpose are not") {
  CHECK(says(refusal(small().floats("blk.0.mystery.weight", {1}, {1})), "tensor 'blk.0.mystery.weight' is not known"));
  CHECK(says(refusal(small().floats("blk.00.attn_q.weight", {1}, {1})), "'blk.00.attn_q.weight' is not known"));
  CHECK(says(refusal(small().floats("blk.9999999999.attn_q.weight", {1}, {1})), "is not known"));
  CHECK(says(refusal(small().floats("blk.0.attn_qkv.weight", {80, 24}, std::vector<float>(80 * 24))), "which another tensor gave"));
  CHECK(refusal(small().floats("blk.0.attn_rot_embd.weight", {1}, {1}).floats("blk.1.nextn.eh_proj.weight", {1}, {1})) == "");
}

TEST_CASE("token ids come from the tokenizer's keys, or its kind") {
  const auto with =
      GgufFolder(
          small().text("tokenizer.ggml.model", "llama").whole("tokenizer.ggml.eos_token_id", 7).whole("tokenizer.ggml.eot_token_id", 9))
          .open();
  CHECK(with->config()["eos_token_id"] == Json::array({7, 9}));
  CHECK(with->config()["bos_token_id"] == 1);
  const auto none = GgufFolder(small()).open();
  CHECK_FALSE(none->config().contains("eos_token_id"));
}

namespace {

GgufBuilder bert_file(const FakeCheckpoint& c, const BertShape& s, const std::string& body) {
  GgufBuilder b;
  b.text("general.architecture", "bert");
  auto count = [&](const std::string& key, size_t value) { b.whole("bert." + key, static_cast<uint32_t>(value)); };
  count("context_length", s.positions), count("embedding_length", s.hidden), count("block_count", s.layers);
  count("feed_forward_length", s.intermediate), count("attention.head_count", s.heads);
  b.number("bert.attention.layer_norm_epsilon", static_cast<float>(s.epsilon)).flag("bert.attention.causal", false);
  copy(c, body + "embeddings.word_embeddings", b, "token_embd");
  copy(c, body + "embeddings.token_type_embeddings", b, "token_types");
  copy(c, body + "embeddings.position_embeddings", b, "position_embd");
  copy(c, body + "embeddings.LayerNorm", b, "token_embd_norm");
  for (size_t i = 0; i < s.layers; ++i)
    for (const auto& [gguf, name] : kBertLayer)
      copy(c, body + "encoder.layer." + std::to_string(i) + "." + name, b, "blk." + std::to_string(i) + "." + gguf);
  return b;
}

std::map<std::string, std::vector<float>> encode(const Model& model, const std::vector<int32_t>& ids) {
  Session session = tests::opened(model, {.context = 16, .threads = 1});
  const Input input{.sequence = tests::must(session.add()), .tokens = ids};
  tests::must(session.run("encode", {&input, 1}, {.outputs = RunOptions::Outputs::all}));
  std::map<std::string, std::vector<float>> all;
  for (size_t i = 0; i < model.program(0).outputs; ++i) {
    const std::string name(model.output(0, i).name);
    all[name] = tests::output(session, name);
  }
  return all;
}

}  // namespace

TEST_CASE("a bert file pools as its key says") {
  const BertShape s = {.hidden = 21, .layers = 2, .heads = 3, .intermediate = 37, .epsilon = 1e-6};
  const FakeCheckpoint c = oracle::bert_checkpoint(s, 3);
  const std::vector<int32_t> ids = tests::tokens(9, 30), types(9, 0);
  const oracle::Rows hidden = oracle::bert(oracle::tensors_of(c), s, ids, types).at("last_hidden_state");
  oracle::Vector mean(21);
  for (const oracle::Vector& row : hidden)
    for (size_t k = 0; k < 21; ++k) mean[k] += row[k] / 9;
  const std::pair<uint32_t, oracle::Vector> kinds[] = {{1, mean}, {2, hidden.front()}, {3, hidden.back()}};
  for (const auto& [kind, expected] : kinds) {
    const auto& of_kind = kind;
    CAPTURE(of_kind);
    auto got = encode(GgufFolder(bert_file(c, s, "").whole("bert.pooling_type", kind)).model(), ids);
    CHECK(oracle::error(got.at("last_hidden_state"), oracle::flat(hidden)) < 1e-4);
    CHECK(oracle::error(got.at("sentence_embedding"), expected) < 1e-4);
  }
  auto plain = encode(GgufFolder(bert_file(c, s, "").whole("bert.pooling_type", 0)).model(), ids);
  CHECK(plain.size() == 1);
  CHECK_THROWS_WITH_AS(GgufFolder(bert_file(c, s, "").whole("bert.pooling_type", 9)).model(), doctest::Contains("pooling_type"), Error);
}

TEST_CASE("a re-ranker's file gives its score") {
  const BertShape s = {
      .hidden = 20, .heads = 2, .intermediate = 24, .labels = 1, .saved = "BertForSequenceClassification", .epsilon = 1e-6};
  const FakeCheckpoint c = oracle::bert_checkpoint(s, 3);
  GgufBuilder b = bert_file(c, s, "bert.");
  copy(c, "bert.pooler.dense", b, "cls");
  copy(c, "classifier", b, "cls.output");
  b.whole("bert.pooling_type", 4).texts("bert.classifier.output_labels", {"fits"});
  const std::vector<int32_t> ids = tests::tokens(9, 30), types(9, 0);
  const Model model = GgufFolder(b).model();
  auto got = encode(model, ids), expected = std::map<std::string, std::vector<float>>();
  const auto wanted = oracle::bert(oracle::tensors_of(c), s, ids, types);
  CHECK(oracle::error(got.at("logits"), oracle::flat(wanted.at("logits"))) < 1e-4);
  CHECK(oracle::error(got.at("score"), oracle::flat(wanted.at("score"))) < 1e-4);
  CHECK(model.task() == "reranking");
  CHECK(model.label(0) == "fits");
}

TEST_CASE("a file in parts is read like one file, and a part that is missing or misplaced is refused by name") {
  const CheckpointFolder folder("gguf-parts");
  const GgufBuilder whole = small();
  auto part = [&](uint16_t number) {
    GgufBuilder b;
    if (number == 0) b.pairs = whole.pairs;
    b.pair("split.no", 2, raw(number))
        .pair("split.count", 2, raw<uint16_t>(2))
        .pair("split.tensors.count", 5, raw<int32_t>(int32_t(whole.tensors.size())));
    for (size_t i = number; i < whole.tensors.size(); i += 2)
      b.tensor(whole.tensors[i].name, whole.tensors[i].dimensions, 0, whole.tensors[i].bytes);
    return b;
  };
  const std::string first = folder.path("m-00001-of-00002.gguf"), second = folder.path("m-00002-of-00002.gguf");
  auto refused = [](const std::string& path) -> std::string {
    try {
      open_checkpoint(path);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  write_bytes(first, part(0).bytes());
  CHECK(says(refused(first), second));
  write_bytes(second, part(1).bytes());
  CHECK(refused(first) == "");
  CHECK(open_checkpoint(first)->tensors().size() == whole.tensors.size());
  CHECK(says(refused(second), "is part 2 of 2, expected the first"));
  write_bytes(second, part(0).bytes());
  CHECK(says(refused(first), second + ": its split.no and split.count do not say part 2 of 2"));
  GgufBuilder fewer = part(1);
  fewer.tensors.pop_back();
  write_bytes(second, fewer.bytes());
  CHECK(says(refused(first), "split.tensors.count says"));
  CHECK(says(refused(write_bytes(folder.path("renamed.gguf"), part(0).bytes())), "expected to end in -00001-of-00002.gguf"));
}

TEST_CASE("the keys of published vocabulary files are read, and such a file alone is no model") {
  const std::filesystem::path folder = shared_folder() / "models" / "vocab-gguf";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: there is no shared data");
    return;
  }
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".gguf") continue;
    ++files;
    CHECK(read_gguf_metadata(entry.path().string())->texts("tokenizer.ggml.tokens").size() > 1000);
    CHECK_THROWS_AS(open_checkpoint(entry.path().string()), Error);
  }
  CHECK(files == 5);
}
