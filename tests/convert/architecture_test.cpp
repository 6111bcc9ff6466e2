#include "convert/architecture.h"

#include <doctest/doctest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "convert/encoder_oracle.h"
#include "convert/fake_checkpoint.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

/// Runs the page that the checkpoint chooses; the graph must read everything.
void write(const FakeCheckpoint& checkpoint, Graph& graph) {
  const Config config(checkpoint.config());
  choose_architecture(checkpoint, architectures()).write(config, graph);
  graph.check_everything_read();
}

std::vector<std::string> output_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Graph::Port& port : graph.programs().at(0).outputs) names.push_back(port.name);
  return names;
}

std::string refusal(const FakeCheckpoint& checkpoint) {
  try {
    Graph graph(checkpoint, Options());
    write(checkpoint, graph);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool has_word(const std::string& text, const std::string& word) {
  auto is_letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !is_letter(text[at - 1])) && (end == text.size() || !is_letter(text[end]))) return true;
  }
  return false;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("pages are found by model_type, and one told by its tensors goes first") {
  CHECK(choose_architecture(small_llama(), architectures()).family == std::string("llama"));
  CHECK(choose_architecture(small_bert(), architectures()).family == std::string("bert"));
  FakeCheckpoint keywords = small_bert();
  keywords.put("embeddings.projection.weight", {20, 8}).put("embeddings.cls_token", {20});
  CHECK(choose_architecture(keywords, architectures()).family == std::string("keyword_transformer"));
  FakeCheckpoint unknown(Json{{"model_type", "perceiver"}});
  CHECK(refusal(unknown).find("\"perceiver\"") != std::string::npos);
  CHECK(refusal(FakeCheckpoint()).find("names no model_type") != std::string::npos);
}

TEST_CASE("every file of the folder is a page, and the rest of the library names none") {
  namespace fs = std::filesystem;
  const fs::path lib = fs::path(LINNET_SOURCE_DIR) / "lib";
  size_t pages = 0;
  for (const auto& entry : fs::directory_iterator(lib / "convert" / "architectures")) pages += entry.path().extension() == ".cpp";
  CHECK(architectures().size() == pages);
  for (const char* folder : {"core", "format", "kernels", "ops", "plan", "runtime", "generate", "tasks", "include"}) {
    for (const auto& entry : fs::recursive_directory_iterator(lib / folder)) {
      if (!entry.is_regular_file()) continue;
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      for (const Architecture* page : architectures())
        CHECK_MESSAGE(!has_word(text.str(), page->family), entry.path().string(), " names ", page->family);
    }
  }
}

TEST_CASE("a page needs nothing but its constant") {
  const Architecture dummy = {
      .family = "dummy", .description = "one embedding", .model_types = {"dummy"}, .write = [](const Config& config, Graph& g) {
        g.program("encode", schema::ProgramKind::encoder, config.count("positions"));
        g.output(schema::Role::hidden, "last_hidden_state", g.embed(g.token_ids(g.size("words.weight", 0)), "words"));
      }};
  FakeCheckpoint checkpoint(Json{{"model_type", "dummy"}, {"positions", 9}});
  checkpoint.put("words.weight", {5, 3});
  Graph graph(checkpoint, Options());
  choose_architecture(checkpoint, {&dummy}).write(Config(checkpoint.config()), graph);
  graph.check_everything_read();
  CHECK(graph.programs()[0].max_positions == 9);
  CHECK(graph.programs()[0].values[0].bound == 5);
}

TEST_CASE("the llama page declares one state for each layer and reads the head from the embedding when tied") {
  FakeCheckpoint checkpoint = small_llama();
  Graph graph(checkpoint, Options());
  write(checkpoint, graph);
  REQUIRE(graph.states().size() == 1);
  CHECK(graph.states()[0].heads == 1);
  CHECK(graph.states()[0].key_width == 16);
  CHECK(output_names(graph) == Texts{"logits"});
  CHECK(graph.programs()[0].kind == schema::ProgramKind::autoregressive);
  CHECK(graph.programs()[0].max_positions == 64);
  const format::Value& logits = graph.programs()[0].values[graph.programs()[0].outputs[0].value];
  CHECK(logits.columns == 40);
  CHECK(logits.rows == Graph::outputs());
}

TEST_CASE("biases of llama are read where the configuration says so, and are an error where it does not") {
  FakeCheckpoint checkpoint = small_llama();
  const std::string attn = "model.layers.0.self_attn.", mlp = "model.layers.0.mlp.";
  checkpoint.put(attn + "q_proj.bias", {32})
      .put(attn + "k_proj.bias", {16})
      .put(attn + "v_proj.bias", {16})
      .put(attn + "o_proj.bias", {32});
  CHECK(refusal(checkpoint).find("q_proj.bias") != std::string::npos);
  checkpoint.config()["attention_bias"] = true;
  CHECK(refusal(checkpoint) == "");
  checkpoint.config()["mlp_bias"] = true;
  CHECK(refusal(checkpoint).find("gate_proj.bias") != std::string::npos);
  checkpoint.put(mlp + "gate_proj.bias", {48}).put(mlp + "up_proj.bias", {48}).put(mlp + "down_proj.bias", {32});
  CHECK(refusal(checkpoint) == "");
}

TEST_CASE("llama refuses by name what it does not compute") {
  auto with = [](const std::string& key, const Json& value) {
    FakeCheckpoint checkpoint = small_llama();
    checkpoint.config()[key] = value;
    return refusal(checkpoint);
  };
  CHECK(with("hidden_act", "xielu").find("\"xielu\"") != std::string::npos);
  CHECK(with("rope_scaling", {{"type", "cubic"}}).find("\"cubic\"") != std::string::npos);
  CHECK(with("num_key_value_heads", 3) != "");
  CHECK(with("num_hidden_layers", -1).find("num_hidden_layers is -1") != std::string::npos);
  CHECK(with("tie_word_embeddings", false).find("lm_head.weight is missing") != std::string::npos);
  CHECK(with("head_dim", 20) != "");
  CHECK(with("num_hidden_layers", 2).find("model.layers.1.") != std::string::npos);
  CHECK(with("num_hidden_layers", nullptr).find("num_hidden_layers is missing") != std::string::npos);
  CHECK(with("num_attention_heads", 2.5).find("num_attention_heads is 2.5") != std::string::npos);
  CHECK(with("sliding_window", 16).find("sliding_window is 16") != std::string::npos);
  CHECK(with("layer_types", {"sliding_attention"}).find("layer_types") != std::string::npos);
  CHECK(with("architectures", {"LlamaForSequenceClassification"}).find("LlamaForSequenceClassification") != std::string::npos);
  CHECK(with("rope_parameters", {{"rope_type", "cubic"}}).find("\"cubic\"") != std::string::npos);
  CHECK(with("rope_scaling", {{"type", "llama3"}, {"factor", 8}}).find("low_freq_factor is missing") != std::string::npos);
  CHECK(with("rope_scaling", {{"type", "linear"}}).find("factor is missing") != std::string::npos);
  CHECK(with("partial_rotary_factor", 1.5).find("24 of 16 channels") != std::string::npos);
  CHECK(with("rope_theta", 0).find("rope_theta is 0") != std::string::npos);
  CHECK(with("rms_norm_eps", "small").find("rms_norm_eps") != std::string::npos);
  CHECK(with("attention_bias", "yes").find("attention_bias") != std::string::npos);
  CHECK(with("vocab_size", 41).find("vocab_size is 41, expected 40") != std::string::npos);
  CHECK(with("hidden_size", 64).find("hidden_size is 64, expected 32") != std::string::npos);
  CHECK(with("intermediate_size", 50).find("intermediate_size is 50, expected 48") != std::string::npos);
}

TEST_CASE("keys of llama that change nothing here are let pass") {
  auto with = [](const std::string& key, const Json& value) {
    FakeCheckpoint checkpoint = small_llama();
    checkpoint.config()[key] = value;
    return refusal(checkpoint);
  };
  CHECK(with("pretraining_tp", 2) == "");  // sums the same products in another order
  CHECK(with("sliding_window", nullptr) == "");
  CHECK(with("layer_types", {"full_attention"}) == "");
  CHECK(with("num_key_value_heads", 1) == "");
  CHECK(with("head_dim", nullptr) == "");
  CHECK(with("rope_parameters", {{"rope_type", "default"}, {"rope_theta", 500}}) == "");
  for (const char* key : {"torch_dtype", "dtype"}) CHECK(with(key, "bfloat16") == "");
  CHECK(with("attention_dropout", 0.1) == "");
}

TEST_CASE("gate and up of different sizes are refused, whatever their sum") {
  FakeCheckpoint checkpoint = small_llama();
  checkpoint.config().erase("intermediate_size");
  checkpoint.put("model.layers.0.mlp.gate_proj.weight", {50, 32}).put("model.layers.0.mlp.up_proj.weight", {46, 32});
  CHECK(refusal(checkpoint).find("up_proj.weight has 46 rows, expected 50") != std::string::npos);
  checkpoint.put("model.layers.0.mlp.gate_proj.weight", {49, 32}).put("model.layers.0.mlp.up_proj.weight", {48, 32});
  CHECK(refusal(checkpoint).find("97 columns") != std::string::npos);
}

TEST_CASE("a tensor of the wrong shape is refused by name, whichever it is") {
  for (const FakeCheckpoint& whole : {small_llama(), small_bert()})
    for (const SourceTensor& tensor : whole.tensors())
      for (int change = 0; change < 4; ++change) {
        FakeCheckpoint checkpoint = whole;
        std::vector<uint64_t> shape = tensor.shape;
        if (change == 0) shape[0] += 1;
        if (change == 1) shape.back() += 1;
        if (change == 2) shape.push_back(2);
        if (change == 3) shape[0] = 0;
        checkpoint.config()["vocab_size"] = whole.Checkpoint::config().value("vocab_size", 30);
        checkpoint.config()["max_position_embeddings"] = whole.Checkpoint::config().value("max_position_embeddings", 16);
        checkpoint.config()["type_vocab_size"] = 2;
        checkpoint.put(tensor.name, shape, std::vector<float>(1));
        CAPTURE(tensor.name);
        CAPTURE(change);
        CHECK(refusal(checkpoint) != "");
      }
}

TEST_CASE("a tensor that is missing is refused by name, whichever it is") {
  for (const FakeCheckpoint& whole : {small_llama(), small_bert()})
    for (const SourceTensor& missing : whole.tensors()) {
      FakeCheckpoint checkpoint(whole.Checkpoint::config());
      for (const SourceTensor& tensor : whole.tensors())
        if (tensor.name != missing.name) checkpoint.put(tensor.name, tensor.shape);
      CAPTURE(missing.name);
      const std::string text = refusal(checkpoint);
      CHECK(text.find(missing.name) != std::string::npos);
    }
}

TEST_CASE("a tensor that is missing of any relative of BERT is refused by name, and so is a head that it has not") {
  for (const char* family : {"roberta", "distilbert", "albert", "mpnet", "longformer", "deberta-v2"}) {
    oracle::EncoderShape shape = {.family = family, .saved = "ForTokenClassification", .layers = 1};
    if (shape.family == "deberta-v2") shape.more = {{"relative_attention", false}};
    FakeCheckpoint whole = oracle::encoder_checkpoint(shape, 1, [&](oracle::Filler& fill, const std::string& layer) {
      for (const char* name : {"query_global", "key_global", "value_global"})
        if (shape.family == "longformer") fill.linear(layer + "attention.self." + name, shape.hidden, shape.hidden);
    });
    if (shape.family == "mpnet") whole.put("mpnet.encoder.relative_attention_bias.weight", {32, shape.heads});
    CAPTURE(family);
    CHECK(refusal(whole) == "");
    for (const SourceTensor& missing : whole.tensors()) {
      FakeCheckpoint checkpoint(whole.Checkpoint::config());
      for (const SourceTensor& tensor : whole.tensors())
        if (tensor.name != missing.name) checkpoint.put(tensor.name, tensor.shape);
      CAPTURE(missing.name);
      const std::string text = refusal(checkpoint);
      // Without the word table the body's prefix is not found either.
      CHECK(text.find(missing.name.find("word_embeddings") != std::string::npos ? "embeddings." : missing.name) != std::string::npos);
    }
    whole.config()["architectures"] = {"SomethingForNextWord"};
    CHECK(refusal(whole).find("SomethingForNextWord is not supported") != std::string::npos);
    whole.config()["architectures"] = {oracle::encoder_names(shape).classes + "ForTokenClassification"};
    whole.put("bert.pooler.of.another.kind", {3});
    CHECK(refusal(whole).find("bert.pooler.of.another.kind") != std::string::npos);
  }
}

TEST_CASE("rope that depends on the length asks for lengths") {
  FakeCheckpoint checkpoint = small_llama();
  checkpoint.config()["rope_scaling"] = {{"type", "dynamic"}, {"factor", 2}};
  Graph graph(checkpoint, Options());
  write(checkpoint, graph);
  const std::vector<Graph::Port>& inputs = graph.programs()[0].inputs;
  CHECK(std::count_if(inputs.begin(), inputs.end(), [](const Graph::Port& port) { return port.role == schema::Role::lengths; }) == 1);
  CHECK(graph.programs()[0].max_positions == 128);
}

TEST_CASE("frequency divisors that a GGUF file keeps as a tensor reach the program") {
  FakeCheckpoint checkpoint = small_llama();
  checkpoint.put("rope_freqs.weight", {8}, {1, 1, 1, 1, 2, 4, 8, 8});
  Graph graph(checkpoint, Options());
  write(checkpoint, graph);
  std::vector<float> stored;
  for (uint32_t i = 0; i < graph.weights().size(); ++i)
    if (graph.weights()[i].name == "rotary.short_factors") stored = graph.weights().materialize(graph.weights()[i]);
  CHECK(stored == std::vector<float>{1, 1, 1, 1, 2, 4, 8, 8});
}

TEST_CASE("BERT's heads are told by the saved class, and without one by their tensors") {
  struct Row {
    const char* saved;
    std::vector<std::pair<std::string, std::vector<uint64_t>>> tensors;
    Texts outputs;
    schema::Task task;
  };
  const Row rows[] = {
      {"BertModel", {}, {"last_hidden_state"}, schema::Task::feature_extraction},
      {"BertModel",
       {{"bert.pooler.dense.weight", {20, 20}}, {"bert.pooler.dense.bias", {20}}},
       {"last_hidden_state", "pooler_output"},
       schema::Task::feature_extraction},
      {"BertForSequenceClassification",
       {{"bert.pooler.dense.weight", {20, 20}}, {"bert.pooler.dense.bias", {20}}, {"classifier.weight", {3, 20}}, {"classifier.bias", {3}}},
       {"last_hidden_state", "logits"},
       schema::Task::sequence_classification},
      {"BertForSequenceClassification",
       {{"bert.pooler.dense.weight", {20, 20}}, {"bert.pooler.dense.bias", {20}}, {"classifier.weight", {1, 20}}, {"classifier.bias", {1}}},
       {"last_hidden_state", "logits", "score"},
       schema::Task::reranking},
      {"BertForTokenClassification",
       {{"classifier.weight", {4, 20}}, {"classifier.bias", {4}}},
       {"last_hidden_state", "logits"},
       schema::Task::token_classification},
      {"BertForQuestionAnswering",
       {{"qa_outputs.weight", {2, 20}}, {"qa_outputs.bias", {2}}},
       {"last_hidden_state", "start_logits", "end_logits"},
       schema::Task::question_answering},
      {"BertForMaskedLM",
       {{"cls.predictions.bias", {30}},
        {"cls.predictions.transform.dense.weight", {20, 20}},
        {"cls.predictions.transform.dense.bias", {20}},
        {"cls.predictions.transform.LayerNorm.weight", {20}},
        {"cls.predictions.transform.LayerNorm.bias", {20}}},
       {"last_hidden_state", "logits"},
       schema::Task::masked_language_model},
  };
  for (const Row& row : rows) {
    for (bool named : {true, false}) {
      FakeCheckpoint checkpoint = small_bert("bert.");
      for (const auto& [name, shape] : row.tensors) checkpoint.put(name, shape);
      if (named) checkpoint.config()["architectures"] = {row.saved};
      Graph graph(checkpoint, Options());
      write(checkpoint, graph);
      CHECK(output_names(graph) == row.outputs);
      CHECK(graph.task() == row.task);
    }
  }
}

TEST_CASE("BERT refuses by name what it does not compute") {
  auto with = [](const std::string& key, const Json& value) {
    FakeCheckpoint checkpoint = small_bert();
    checkpoint.config()[key] = value;
    return refusal(checkpoint);
  };
  CHECK(with("position_embedding_type", "relative_key").find("relative_key") != std::string::npos);
  CHECK(with("is_decoder", true).find("is_decoder") != std::string::npos);
  CHECK(with("hidden_act", "gelu_10").find("\"gelu_10\"") != std::string::npos);
  CHECK(with("architectures", {"BertForMultipleChoice"}).find("BertForMultipleChoice") != std::string::npos);
  CHECK(with("num_attention_heads", 3).find("hidden_size is 20") != std::string::npos);
  CHECK(with("id2label", Json::object()) == "");
  CHECK(with("add_cross_attention", true).find("add_cross_attention") != std::string::npos);
  CHECK(with("pruned_heads", {{"0", {1}}}).find("pruned_heads") != std::string::npos);
  CHECK(with("pruned_heads", Json::object()) == "");
  CHECK(with("position_embedding_type", "absolute") == "");
  CHECK(with("is_decoder", false) == "");
  CHECK(with("max_position_embeddings", 512).find("max_position_embeddings is 512, expected 16") != std::string::npos);
  CHECK(with("type_vocab_size", 3).find("type_vocab_size is 3, expected 2") != std::string::npos);
  CHECK(with("layer_norm_eps", nullptr) == "");
}

TEST_CASE("labels come in the order of their numbers, and must be those of the classifier") {
  Config config(Json{{"id2label", {{"10", "k"}, {"0", "a"}, {"2", "c"}}}});
  std::vector<std::string> names = labels(config, 11);
  CHECK(names[0] == "a");
  CHECK(names[1] == "LABEL_1");
  CHECK(names[10] == "k");
  CHECK_THROWS_WITH_AS(labels(config, 3), doctest::Contains("each number below 3"), Error);
  CHECK_THROWS_AS(labels(Config(Json{{"id2label", {{"x", "a"}}}}), 3), Error);
}

TEST_CASE("the keyword transformer puts one row before each clip's frames") {
  FakeCheckpoint checkpoint = small_bert();
  FakeCheckpoint keywords(checkpoint.config());
  for (const SourceTensor& tensor : checkpoint.tensors())
    if (tensor.name.rfind("embeddings.", 0) != 0 || tensor.name == "embeddings.position_embeddings.weight")
      keywords.put(tensor.name, tensor.shape);
  keywords.put("embeddings.projection.weight", {20, 8}).put("embeddings.projection.bias", {20}).put("embeddings.cls_token", {20});
  keywords.put("classifier.weight", {3, 20}).put("classifier.bias", {3});
  Graph graph(keywords, Options());
  write(keywords, graph);
  const Graph::Program& program = graph.programs()[0];
  CHECK(program.max_positions == 15);
  for (const Graph::Port& port : program.inputs) {
    if (port.role == schema::Role::features) CHECK(program.values[port.value].columns == 8);
    if (port.role == schema::Role::positions)
      CHECK(program.values[port.value].rows == format::Rows{.symbol = schema::Symbol::patches, .per_sequence = 1});
  }
  CHECK(program.values[program.outputs[0].value].rows == Graph::sequences());
}
