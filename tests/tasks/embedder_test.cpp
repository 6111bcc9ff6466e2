#include <doctest/doctest.h>

#include "linnet/tasks.h"
#include "runtime/small_models.h"
#include "tasks/word_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

constexpr int32_t kBegin = 28, kEnd = 29;  // of a vocabulary of 30

/// hidden 20, 16 positions; the mean of all tokens, then length 1.
Model sentence_encoder(const std::string& weights, const convert::Json& settings = convert::Json::object()) {
  convert::CheckpointFolder folder("sentence-encoder");
  folder.write(convert::small_bert());
  folder.write("tokenizer.json", word_tokenizer(30));
  folder.write("modules.json", convert::Json::parse(R"([
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}])"));
  folder.write("1_Pooling/config.json", {{"pooling_mode_mean_tokens", true}});
  folder.write("config_sentence_transformers.json", settings);
  convert::Options options;
  options.weights = weights;
  convert::convert(folder.path(), folder.path("out.linnet"), options);
  return must(Model::open(folder.path("out.linnet").c_str()));
}

std::vector<float> copy(std::span<const float> row) { return {row.begin(), row.end()}; }

std::vector<float> embed_one(Embedder& embedder, std::string_view text) {
  const Matrix matrix = must(embedder.embed({&text, 1}));
  CHECK(matrix.rows == 1);
  return copy(matrix.row(0));
}

}  // namespace

TEST_CASE("texts that run together have the bits of texts that run alone") {
  for (const char* weights : {"f32", "int8", "int4"}) {
    CAPTURE(weights);
    const Model model = sentence_encoder(weights);
    std::vector<std::string> texts;
    for (int32_t i = 0; i < 23; ++i) {
      std::vector<int32_t> ids;
      for (int32_t k = 0; k <= i % 14; ++k) ids.push_back((i * 5 + k * 7) % 27);
      texts.push_back(words(ids));
    }
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    Embedder alone = must(Embedder::create(model, {.batch_texts = 1, .threads = 1}));
    std::vector<std::vector<float>> expected;
    for (std::string_view text : views) expected.push_back(embed_one(alone, text));
    for (const TaskOptions& options : {TaskOptions{}, TaskOptions{.batch_tokens = 40, .threads = 2}, TaskOptions{.batch_texts = 4}}) {
      Embedder embedder = must(Embedder::create(model, options));
      const Matrix matrix = must(embedder.embed(views));
      REQUIRE(matrix.rows == 23);
      REQUIRE(matrix.columns == embedder.width());
      for (size_t i = 0; i < 23; ++i) CHECK(same_bytes(copy(matrix.row(i)), expected[i]));
    }
  }
}

TEST_CASE("an embedding is what the program gives for the tokens with their begin and end") {
  const Model model = sentence_encoder("f32");
  Embedder embedder = must(Embedder::create(model));
  CHECK(embedder.width() == 20);
  const std::vector<float> got = embed_one(embedder, "w3 w1 w26 what");
  Session session = opened(model, {.context = 16});
  const std::vector<int32_t> ids = {kBegin, 3, 1, 26, 27, kEnd};
  const Input input{.tokens = ids};
  must(session.run(model.program(0).name, {&input, 1}, {.outputs = RunOptions::Outputs::all}));
  CHECK(same_bytes(got, output(session, "sentence_embedding")));
  double length = 0;
  for (float number : got) length += double{number} * number;
  CHECK(length == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE("a text beyond max_tokens is cut, its end kept") {
  const Model model = sentence_encoder("f32");
  Embedder embedder = must(Embedder::create(model, {.max_tokens = 5}));
  CHECK(same_bytes(embed_one(embedder, "w1 w2 w3 w4 w5 w6 w7"), embed_one(embedder, "w1 w2 w3")));
  CHECK(!same_bytes(embed_one(embedder, "w1 w2 w4"), embed_one(embedder, "w1 w2 w3")));
  std::string endless = "w1";
  for (int i = 0; i < 1000; ++i) endless += " w2";
  Embedder whole = must(Embedder::create(model));  // 16 positions
  CHECK(embed_one(whole, endless).size() == 20);
}

TEST_CASE("the prompt that is asked for, or the file's default one, goes before each text") {
  const convert::Json prompts = {{"query", "w5 w6 "}, {"document", "w7 "}};
  const Model model = sentence_encoder("f32", {{"prompts", prompts}, {"default_prompt_name", "query"}});
  Embedder plain = must(Embedder::create(model, {.no_prompt = true})), own = must(Embedder::create(model));
  Embedder document = must(Embedder::create(model, {.prompt = "document"}));
  CHECK(same_bytes(embed_one(own, "w1 w2"), embed_one(plain, "w5 w6 w1 w2")));
  CHECK(same_bytes(embed_one(document, "w1"), embed_one(plain, "w7 w1")));
  const std::string_view two[] = {"w3", "w1 w4"};
  const Matrix both = must(document.embed(two));
  const std::vector<float> first = copy(both.row(0)), second = copy(both.row(1));
  CHECK(same_bytes(first, embed_one(plain, "w7 w3")));
  CHECK(same_bytes(second, embed_one(plain, "w7 w1 w4")));
  const Result<Embedder> unknown = Embedder::create(model, {.prompt = "passage"});
  CHECK(unknown.status().code() == Code::not_found);
  CHECK(std::string(unknown.status().message()).find("'passage'") != std::string::npos);
}

TEST_CASE("no texts give no rows, and a text without words is its begin and end") {
  const Model model = sentence_encoder("f32");
  Embedder embedder = must(Embedder::create(model));
  CHECK(must(embedder.embed({})).rows == 0);
  CHECK(same_bytes(embed_one(embedder, ""), embed_one(embedder, "  \n ")));
}

TEST_CASE("a model that embeds nothing is refused with its task, and impossible lengths with both numbers") {
  const Model decoder = open_converted(decoder_checkpoint(), "int8");
  const Result<Embedder> refused = Embedder::create(decoder);
  CHECK(refused.status().code() == Code::unsupported);
  CHECK(std::string(refused.status().message()).find("text_generation") != std::string::npos);
  const Model model = sentence_encoder("f32");
  const Result<Embedder> longer = Embedder::create(model, {.max_tokens = 17});
  CHECK(longer.status().code() == Code::invalid_argument);
  CHECK(std::string(longer.status().message()).find("17") != std::string::npos);
  CHECK(std::string(longer.status().message()).find("16") != std::string::npos);
}

TEST_CASE("a model without a tokenizer is refused") {
  convert::CheckpointFolder folder("no-tokenizer");
  folder.write(convert::small_bert());
  folder.write("modules.json", convert::Json::parse(R"([
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}])"));
  folder.write("1_Pooling/config.json", {{"pooling_mode_mean_tokens", true}});
  convert::convert(folder.path(), folder.path("out.linnet"), {});
  const Model model = must(Model::open(folder.path("out.linnet").c_str()));
  CHECK(Embedder::create(model).status().code() == Code::not_found);
}
