// PEFT folders: which are refused and how, which scale each pair gets, and where modules are found.
#include "convert/adapters/convert_adapter.h"

#include <cmath>

#include "convert/adapters/adapter_folder.h"
#include "format/adapter_file.h"

using namespace linnet;
using namespace linnet::tests;
using convert::Json;

namespace {

const std::string kQuery = "model.layers.0.self_attn.q_proj";

const Model& decoder() {
  static const Model model = open_converted(decoder_checkpoint(), "f32");
  return model;
}
const Model& encoder() {
  static const Model model = open_converted(encoder_checkpoint(), "f32");
  return model;
}

/// What converting says; "" where it says nothing.
std::string refusal(const TestAdapter& adapter, const Model& model = decoder()) {
  const convert::CheckpointFolder folder("adapter-refusal");
  adapter.write(folder);
  try {
    convert::convert_adapter(folder.path(), model.file(), folder.path("out.linnet"));
    return "";
  } catch (const convert::Error& error) {
    CHECK_FALSE(std::filesystem::exists(folder.path("out.linnet")));
    return error.what();
  }
}

std::string refusal_with(const Json& changes) {
  TestAdapter adapter;
  adapter.pair(kQuery, 60, 60);
  adapter.config().update(changes);
  return refusal(adapter);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// B of a pair as the file holds it, divided by B as it was given: the scale.
double scale_of(TestAdapter adapter, const std::string& path, size_t out, uint32_t rank) {
  adapter.put(path + ".lora_B.weight", {out, rank}, std::vector<float>(out * rank, 1.0f));
  const Adapter opened = open_adapter(decoder(), adapter);
  for (const format::Target& target : opened.file().targets())
    if (target.rows == out && target.rank == rank) return static_cast<double>(target.b[0]);
  return 0;
}

}  // namespace

TEST_CASE("what changes more than a low-rank pair is refused by its key") {
  const struct {
    Json changes;
    const char* culprit;
  } cases[] = {
      {{{"use_dora", true}}, "use_dora is true"},
      {{{"peft_type", "ADALORA"}}, "peft_type is \"ADALORA\", expected \"LORA\""},
      {{{"peft_type", "IA3"}}, "peft_type"},
      {{{"peft_type", nullptr}}, "peft_type is missing"},
      {{{"init_lora_weights", "pissa_niter_16"}}, "init_lora_weights is \"pissa_niter_16\""},
      {{{"init_lora_weights", "olora"}}, "init_lora_weights"},
      {{{"init_lora_weights", "corda"}}, "init_lora_weights"},
      {{{"init_lora_weights", "loftq"}}, "init_lora_weights"},
      {{{"loftq_config", {{"loftq_bits", 4}}}}, "loftq_config"},
      {{{"layer_replication", {{0, 4}, {2, 5}}}}, "layer_replication"},
      {{{"trainable_token_indices", {1, 2}}}, "trainable_token_indices"},
      {{{"trainable_token_indices", {{"embed_tokens", {1}}}}}, "trainable_token_indices"},
      {{{"target_parameters", {"experts.gate_up_proj"}}}, "target_parameters"},
      {{{"alora_invocation_tokens", {5}}}, "alora_invocation_tokens"},
      {{{"megatron_config", {{"a", 1}}}}, "megatron_config"},
      {{{"use_qalora", true}}, "use_qalora"},
      {{{"arrow_config", {{"top_k", 2}}}}, "arrow_config"},
      {{{"some_new_feature", true}}, "some_new_feature is true, expected nothing there (the key is not known)"},
      {{{"bias", "some"}}, "bias is \"some\""},
      {{{"r", 0}}, "r is 0"},
      {{{"lora_alpha", "8"}}, "lora_alpha"},
      {{{"rank_pattern", {{"q_proj(", 4}}}}, "the pattern \"q_proj(\""},
      {{{"rank_pattern", {{"q_proj", 5}}}},
       "module "
       "model.layers.0.self_attn.q_proj has rank 4 in the adapter's file, but its configuration says 5"},
      {{{"r", 8}}, "has rank 4 in the adapter's file, but its configuration says 8"},
      {{{"lora_bias", true}}, "no lora_B.bias"},
  };
  for (const auto& each : cases) {
    const std::string said = refusal_with(each.changes);
    CHECK_MESSAGE(has(said, each.culprit), said);
  }
}

TEST_CASE("keys that say nothing, or nothing about the result, are passed over") {
  CHECK(refusal_with(Json::object()) == "");
  CHECK(refusal_with({{"use_dora", false},
                      {"loftq_config", Json::object()},
                      {"layer_replication", nullptr},
                      {"trainable_token_indices", Json::array()},
                      {"new_flag", false},
                      {"new_text", ""},
                      {"new_number", 0},
                      {"new_list", Json::array()},
                      {"new_table", Json::object()},
                      {"new_null", nullptr}}) == "");
  CHECK(refusal_with({{"init_lora_weights", "gaussian"},
                      {"lora_dropout", 0.3},
                      {"inference_mode", false},
                      {"task_type", "CAUSAL_LM"},
                      {"base_model_name_or_path", "x/y"},
                      {"revision", "main"},
                      {"megatron_core", "megatron.core"},
                      {"peft_version", "0.18.0"},
                      {"layers_to_transform", {0}},
                      {"layers_pattern", "layers"},
                      {"exclude_modules", {"v_proj"}},
                      {"target_modules", ".*(q|k)_proj"},
                      {"modules_to_save", {"score"}},
                      {"eva_config", {{"rho", 2.0}}},
                      {"auto_mapping", {{"a", "b"}}}}) == "");
  CHECK(refusal_with({{"init_lora_weights", false}}) == "");
  CHECK(refusal_with({{"init_lora_weights", "eva"}}) == "");
}

TEST_CASE("tensors that do not fit are refused by their names") {
  const struct {
    void (*bend)(TestAdapter&);
    const char* culprit;
  } cases[] = {
      {[](TestAdapter& a) { a.remove(kQuery + ".lora_B.weight"); }, "but no lora_B.weight"},
      {[](TestAdapter& a) { a.remove(kQuery + ".lora_A.weight"); }, "but no lora_A.weight"},
      {[](TestAdapter& a) { a.fill(kQuery + ".lora_magnitude_vector", {60}); }, "is a DoRA"},
      {[](TestAdapter& a) { a.fill(kQuery + ".lora_magnitude_vector.weight", {60}); }, "is a DoRA"},
      {[](TestAdapter& a) {
         a.fill(kQuery + ".lora_C.weight", {4, 60});
       },
       "lora_C.weight is not understood"},
      {[](TestAdapter& a) {
         a.fill("model.embed_tokens.token_adapter.trainable_tokens_delta", {4, 60});
       },
       "trainable_tokens_delta is not understood"},
      {[](TestAdapter& a) { a.pair("model.layers.7.self_attn.q_proj", 60, 60); },
       "the adapter has module model.layers.7.self_attn.q_proj, but"},
      {[](TestAdapter& a) { a.pair("model.layers.0.self_attn.z_proj", 60, 60); }, "z_proj"},
      {[](TestAdapter& a) { a.pair("model.layers.0.input_layernorm", 60, 60); }, "input_layernorm has a pair for a linear layer"},
      {[](TestAdapter& a) { a.pair("model.embed_tokens", 131, 60); }, "embed_tokens has a pair for a linear layer"},
      {[](TestAdapter& a) { a.embedding("lm_head", 131, 60); }, "lm_head has a pair for an embedding"},
      {[](TestAdapter& a) { a.embedding(kQuery, 60, 60); }, "has a pair for an embedding"},
      {[](TestAdapter& a) {
         a.fill(kQuery + ".lora_A.weight", {4, 61});
       },
       "has shape [4, 61], expected [4, 60]"},
      {[](TestAdapter& a) {
         a.fill(kQuery + ".lora_B.weight", {61, 4});
       },
       "has shape [61, 4], expected [60, 4]"},
      {[](TestAdapter& a) {
         a.fill(kQuery + ".lora_B.weight", {60, 5});
       },
       "expected a matrix of 4 columns"},
      {[](TestAdapter& a) { a.fill(kQuery + ".lora_A.weight", {240}); }, "expected a matrix"},
      {[](TestAdapter& a) { a.fill(kQuery + ".bias", {60}); }, "has no bias of that name"},
      {[](TestAdapter& a) { a.embedding("model.embed_tokens", 135, 60); }, "is for a vocabulary of 135 tokens"},
      {[](TestAdapter& a) {
         a.fill("model.embed_tokens.base_layer.weight", {135, 60});
       },
       "resizes the vocabulary to 135 tokens"},
      {[](TestAdapter& a) { a.fill("model.norm.weight", {61}); }, "has shape [61], expected [60]"},
      {[](TestAdapter& a) {
         a.put(kQuery + ".lora_B.weight", {60, 4}, std::vector<float>(240, NAN));
       },
       "not finite"},
      {[](TestAdapter& a) {
         a.fill("model.norm.weight", {60});
         a.fill("model.norm.modules_to_save.weight", {60});
       },
       "are for the same purpose"},
  };
  for (const auto& each : cases) {
    TestAdapter adapter;
    adapter.pair(kQuery, 60, 60);
    each.bend(adapter);
    const std::string said = refusal(adapter);
    CHECK_MESSAGE(has(said, each.culprit), said);
  }
}

TEST_CASE("a folder without its parts is refused by what is missing") {
  const convert::CheckpointFolder folder("adapter-parts");
  const auto said = [&] {
    try {
      convert::adapter_in_memory(folder.path(), decoder().file());
    } catch (const convert::Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(has(said(), "adapter_config.json"));
  TestAdapter().pair(kQuery, 60, 60).write(folder);
  std::filesystem::rename(folder.path("adapter_model.safetensors"), folder.path("adapter_model.bin"));
  CHECK(has(said(), "adapter_model.bin, a pickle, which is not read"));
  std::filesystem::remove(folder.path("adapter_model.bin"));
  CHECK(has(said(), "there is no adapter_model.safetensors"));
  std::ofstream(folder.path("adapter_config.json")) << "[1]";
  CHECK(has(said(), "is not an object"));
}

TEST_CASE("alpha, rank and their tables give each module its scale") {
  TestAdapter plain(4, 6);
  plain.pair(kQuery, 60, 60);
  CHECK(scale_of(plain, kQuery, 60, 4) == doctest::Approx(1.5));
  plain.config()["lora_alpha"] = 2.5;
  CHECK(scale_of(plain, kQuery, 60, 4) == doctest::Approx(0.625));
  plain.config()["use_rslora"] = true;
  CHECK(scale_of(plain, kQuery, 60, 4) == doctest::Approx(1.25));
  plain.config()["alpha_pattern"] = {{"v_proj", 1}, {"layers\\.[01]\\..*\\.q_proj", 10}, {"q_proj", 20}};  // the first that matches
  CHECK(scale_of(plain, kQuery, 60, 4) == doctest::Approx(5));
  plain.config()["alpha_pattern"] = {{"proj", 1}};
  CHECK(scale_of(plain, kQuery, 60, 4) == doctest::Approx(1.25));
  TestAdapter patterned(4, 6);
  patterned.config()["rank_pattern"] = {{"layers.0.self_attn.q_proj", 3}};
  patterned.pair(kQuery, 60, 60, 3);
  CHECK(scale_of(patterned, kQuery, 60, 3) == doctest::Approx(2));
  TestAdapter defaults(8, 8);
  defaults.pair(kQuery, 60, 60);
  defaults.config().erase("r");
  defaults.config().erase("lora_alpha");
  CHECK(scale_of(defaults, kQuery, 60, 8) == doctest::Approx(1));
}

TEST_CASE("modules are found where adapter and checkpoint differ in the model's own prefix") {
  convert::FakeCheckpoint bare = encoder_checkpoint();
  convert::FakeCheckpoint body({{"model_type", "bert"},
                                {"architectures", {"BertModel"}},
                                {"hidden_size", 36},
                                {"num_hidden_layers", 2},
                                {"num_attention_heads", 3},
                                {"intermediate_size", 84}});
  for (const convert::SourceTensor& tensor : bare.tensors())
    if (tensor.name.rfind("bert.", 0) == 0) body.put(tensor.name.substr(5), tensor.shape, bare.read(tensor.name));
  const Model without = open_converted(body, "f32");
  TestAdapter longer, shorter;
  longer.pair("bert.encoder.layer.0.attention.self.query", 36, 36);
  shorter.pair("encoder.layer.0.attention.self.query", 36, 36);
  for (const Model* model : {&without, &encoder()})
    for (const TestAdapter* adapter : {&longer, &shorter}) CHECK(refusal(*adapter, *model) == "");
  TestAdapter llama;
  llama.pair("layers.1.mlp.down_proj", 60, 112);
  CHECK(refusal(llama) == "");
}

TEST_CASE("parts of a fused matrix and of a fused bias get their own rows") {
  convert::FakeCheckpoint checkpoint = decoder_checkpoint();
  checkpoint.config()["mlp_bias"] = true;
  for (int i = 0; i < 2; ++i)
    for (const auto& [name, size] : {std::pair("gate_proj", 112), std::pair("up_proj", 112), std::pair("down_proj", 60)})
      checkpoint.put("model.layers." + std::to_string(i) + ".mlp." + name + ".bias", {static_cast<uint64_t>(size)});
  const Model model = open_converted(checkpoint, "f32");
  TestAdapter adapter;
  adapter.pair("model.layers.1.mlp.up_proj", 112, 60).put("model.layers.1.mlp.up_proj.bias", {112}, std::vector<float>(112, 7.0f));
  adapter.fill("model.layers.0.mlp.gate_proj.weight", {112, 60});
  const Adapter beside = open_adapter(model, adapter);
  REQUIRE(beside.targets() == 3);
  size_t seen = 0;
  for (const format::Target& target : beside.file().targets()) {
    if (target.kind == schema::TargetKind::low_rank) {
      CHECK(target.first_row == 112);
      CHECK(target.rows == 112);
      ++seen;
    } else if (target.base == "model.layers.1.mlp.{gate_proj,up_proj}.bias") {
      const auto* numbers = reinterpret_cast<const float*>(target.replacement.data);
      CHECK(numbers[0] == checkpoint.read("model.layers.1.mlp.gate_proj.bias")[0]);
      CHECK(numbers[111] == checkpoint.read("model.layers.1.mlp.gate_proj.bias")[111]);
      CHECK(numbers[112] == 7.0f);
      CHECK(numbers[223] == 7.0f);
      ++seen;
    } else if (target.base == "model.layers.0.mlp.{gate_proj,up_proj}.weight") {
      CHECK(target.first_row == 0);
      CHECK(target.rows == 112);
      ++seen;
    }
  }
  CHECK(seen == 3);
  const Model whole = open_converted(adapter.merged(checkpoint), "f32");
  const std::vector<int32_t> ids = tokens(12);
  std::vector<float> results[2];
  for (const bool merged : {false, true}) {
    Session session = opened(merged ? whole : model, {.context = 64, .threads = 1, .adapters = 1, .adapter_rank = 4});
    const SequenceId sequence = must(session.add());
    if (!merged) must(session.use(sequence, must(session.attach(open_adapter(model, adapter)))));
    must(session.prefill("generate", {.sequence = sequence, .tokens = ids}));
    results[merged] = output(session);
  }
  for (size_t i = 0; i < results[0].size(); ++i) CHECK(results[0][i] == doctest::Approx(results[1][i]).epsilon(1e-3));
}

TEST_CASE("a quantized file from before factors were written down is refused, a float one is not") {
  const convert::CheckpointFolder folder("old-base");
  TestAdapter adapter;
  adapter.pair(kQuery, 60, 60);
  adapter.write(folder);
  std::ifstream file(LINNET_SOURCE_DIR "/tests/format/data/version1.linnet", std::ios::binary);
  REQUIRE(file.good());
  const Model old = must(Model::open(LINNET_SOURCE_DIR "/tests/format/data/version1.linnet"));
  CHECK_THROWS_AS(convert::adapter_in_memory(folder.path(), old.file()), convert::Error);
}
