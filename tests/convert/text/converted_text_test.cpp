// What a converted file carries besides weights: the tokenizer and the chat templates of its checkpoint.
#include <doctest/doctest.h>

#include <sstream>

#include "convert/checkpoint_folder.h"
#include "convert/convert.h"
#include "convert/text/tokenize_jsonl.h"
#include "linnet/chat.h"
#include "linnet/model.h"
#include "linnet/tokenizer.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

const Json kTokenizer = Json::parse(R"({"pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": null,
    "model": {"type": "WordLevel", "vocab": {"one": 0, "two": 1, "<unk>": 2}, "unk_token": "<unk>"}})");

Model open(const CheckpointFolder& folder) {
  convert::convert(folder.path(), folder.path("out.linnet"), {});
  Result<Model> model = Model::open(folder.path("out.linnet").c_str());
  if (!model.ok()) FAIL(model.status().message());
  return std::move(model.value());
}

void write_text(const CheckpointFolder& folder, const std::string& file, const std::string& text) {
  std::ofstream(folder.path(file)) << text;
}

std::vector<int32_t> ids_of(const Model& model, std::string_view text) {
  const Result<Tokenizer> tokenizer = Tokenizer::create(model);
  REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.status().message());
  Ids ids;
  REQUIRE(tokenizer->encode(text, {}, &ids).ok());
  return {ids.begin(), ids.end()};
}

}  // namespace

TEST_CASE("a converted file has the checkpoint's tokenizer") {
  CheckpointFolder folder("text-tokenizer");
  folder.write(small_llama());
  folder.write("tokenizer.json", kTokenizer);
  CHECK(ids_of(open(folder), "two one three") == std::vector<int32_t>{1, 0, 2});
}

TEST_CASE("a checkpoint without tokenizer files is converted without one") {
  CheckpointFolder folder("text-none");
  folder.write(small_llama());
  const Model model = open(folder);
  CHECK(Tokenizer::create(model).status().code() == Code::not_found);
  CHECK(model.chat_template() == "");
}

TEST_CASE("a tokenizer that is not known stops the conversion and names its part") {
  CheckpointFolder folder("text-unknown");
  folder.write(small_llama());
  Json tokenizer = kTokenizer;
  tokenizer["normalizer"] = {{"type", "Nmt"}};
  folder.write("tokenizer.json", tokenizer);
  CHECK_THROWS_WITH_AS(convert::convert(folder.path(), folder.path("out.linnet"), {}),
                       doctest::Contains("the normalizer Nmt is not known to this library"), Error);
  CHECK_FALSE(std::filesystem::exists(folder.path("out.linnet")));
}

TEST_CASE("the settings of a sentence encoder count where it is one, for its file as for its folder") {
  CheckpointFolder folder("text-sentence");
  folder.write(small_bert());
  folder.write("tokenizer.json", kTokenizer);
  folder.write("sentence_bert_config.json", {{"max_seq_length", 3}, {"do_lower_case", true}});
  const auto both = [&](const std::string& text) {
    std::istringstream question(Json{{"text", text}}.dump() + "\n");
    std::ostringstream answer;
    tokenize_jsonl(folder.path(), question, answer);
    const std::vector<int32_t> ids = ids_of(open(folder), text);
    CHECK(Json::parse(answer.str()).at("ids") == Json(ids));
    return ids;
  };
  CHECK(both("TWO One two one") == std::vector<int32_t>{2, 2, 1, 0});
  folder.write("modules.json", Json::parse(R"([{"path": "", "type": "sentence_transformers.models.Transformer"},
                                               {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}])"));
  folder.write("1_Pooling/config.json", {{"pooling_mode", "mean"}});
  CHECK(both("TWO One two one") == std::vector<int32_t>{1, 0, 1});
  folder.write("sentence_bert_config.json", {{"max_seq_length", 2}});
  CHECK(both("two one two one") == std::vector<int32_t>{1, 0});
  // The older names say the same, where the newest is not there.
  folder.write("sentence_roberta_config.json", {{"max_seq_length", 1}});
  CHECK(both("two one two one") == std::vector<int32_t>{1, 0});
  std::filesystem::remove(folder.path("sentence_bert_config.json"));
  CHECK(both("two one two one") == std::vector<int32_t>{1});
  std::filesystem::remove(folder.path("sentence_roberta_config.json"));
  folder.write("sentence_xlm-roberta_config.json", {{"max_seq_length", 0}});
  CHECK_THROWS_WITH_AS(open(folder), doctest::Contains("sentence_xlm-roberta_config.json: max_seq_length"), Error);
}

TEST_CASE("zero bytes in texts are texts like others") {
  CheckpointFolder folder("text-zero");
  const std::string zero(1, '\0');
  FakeCheckpoint checkpoint = small_bert("bert.");
  checkpoint.config()["architectures"] = {"BertForSequenceClassification"};
  checkpoint.config()["id2label"] = {{"0", "a" + zero + "b"}, {"1", "c"}};
  checkpoint.put("bert.pooler.dense.weight", {20, 20}).put("bert.pooler.dense.bias", {20});
  folder.write(checkpoint.put("classifier.weight", {2, 20}).put("classifier.bias", {2}));
  Json tokenizer = kTokenizer;
  tokenizer["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", "x" + zero + "y"}}}, {"content", "one"}};
  tokenizer["added_tokens"] = Json::array({{{"id", 3}, {"content", "<" + zero + ">"}, {"special", true}}});
  folder.write("tokenizer.json", tokenizer);
  folder.write("tokenizer_config.json", {{"chat_template", "d" + zero + "e"}});
  const Model model = open(folder);
  CHECK(model.label(0) == "a" + zero + "b");
  CHECK(model.chat_template() == "d" + zero + "e");
  CHECK(ids_of(model, "x" + zero + "y two x") == std::vector<int32_t>{0, 1, 2});
  CHECK(ids_of(model, "two<" + zero + ">") == std::vector<int32_t>{1, 3});
}

TEST_CASE("chat templates come from the configuration, one or several") {
  CheckpointFolder folder("text-templates");
  folder.write(small_llama());
  folder.write("tokenizer_config.json", {{"chat_template", "{{ messages }}"}});
  CHECK(open(folder).chat_template() == "{{ messages }}");
  folder.write("tokenizer_config.json",
               Json::parse(R"({"chat_template": [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]})"));
  CHECK(open(folder).chat_template() == "a");
  CHECK(open(folder).chat_template("tool_use") == "b");
  CHECK(open(folder).chat_template("rag") == "");
}

TEST_CASE("a template in a file of its own replaces the usual one") {
  CheckpointFolder folder("text-jinja");
  folder.write(small_llama());
  folder.write("tokenizer_config.json",
               Json::parse(R"({"chat_template": [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]})"));
  write_text(folder, "chat_template.jinja", "c\n");
  CHECK(open(folder).chat_template() == "c\n");
  CHECK(open(folder).chat_template("tool_use") == "b");
  folder.write("tokenizer_config.json", Json::parse(R"({"chat_template": [{"name": "default"}]})"));
  CHECK_THROWS_AS(convert::convert(folder.path(), folder.path("out.linnet"), {}), Error);
}

namespace {

std::string rendered(const Model& model, std::string_view name = "") {
  const Result<ChatTemplate> chat = ChatTemplate::create(model, name);
  REQUIRE_MESSAGE(chat.ok(), chat.status().message());
  const ChatMessage messages[] = {{"user", "one"}};
  ChatRequest request;
  request.messages = messages;
  ChatText text;
  REQUIRE(chat->render(request, &text).ok());
  return std::string(text.text());
}

}  // namespace

TEST_CASE("a converted file knows its special tokens by the names that templates use") {
  CheckpointFolder folder("text-tokens");
  folder.write(small_llama());
  folder.write("tokenizer_config.json", Json::parse(R"({"bos_token": {"content": "<b>"}, "eos_token": "<e>", "pad_token": null,
      "chat_template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token }}{{ unk_token }}"})"));
  folder.write("special_tokens_map.json", Json::parse(R"({"eos_token": "<other>", "unk_token": "<u>"})"));
  CHECK(rendered(open(folder)) == "<b>one<e><u>");
}

TEST_CASE("where a file lists no special tokens, their texts come from the tokenizer") {
  CheckpointFolder folder("text-ids");
  convert::FakeCheckpoint checkpoint = small_llama();
  checkpoint.config()["bos_token_id"] = 1;
  checkpoint.config()["eos_token_id"] = Json::array({0, 1});
  folder.write(checkpoint);
  folder.write("tokenizer.json", kTokenizer);
  folder.write("tokenizer_config.json", {{"chat_template", "{{ bos_token }}|{{ eos_token }}|{{ pad_token is defined }}"}});
  CHECK(rendered(open(folder)) == "two|one|False");
}

TEST_CASE("a template that is not there is an error, not another one") {
  CheckpointFolder folder("text-missing");
  folder.write(small_llama());
  CHECK(ChatTemplate::create(open(folder)).status().code() == Code::not_found);
  folder.write("tokenizer_config.json", {{"chat_template", "a"}});
  const Model model = open(folder);
  CHECK(rendered(model) == "a");
  const Result<ChatTemplate> other = ChatTemplate::create(model, "rag");
  CHECK(other.status().code() == Code::not_found);
  CHECK(std::string(other.status().message()) == "the model has no chat template 'rag'");
}

TEST_CASE("templates in a folder of their own have their files' names") {
  CheckpointFolder folder("text-more-templates");
  folder.write(small_llama());
  folder.write("tokenizer_config.json", {{"chat_template", "a"}});
  std::filesystem::create_directories(folder.path("additional_chat_templates"));
  write_text(folder, "additional_chat_templates/rag.jinja", "r");
  const Model model = open(folder);
  CHECK(rendered(model) == "a");
  CHECK(rendered(model, "rag") == "r");
}

TEST_CASE("a template that could not be used stops the conversion, unless it is left out") {
  CheckpointFolder folder("text-bad-template");
  folder.write(small_llama());
  folder.write("tokenizer_config.json", {{"chat_template", "{{ messages|frobnicate }}"}});
  CHECK_THROWS_WITH_AS(convert::convert(folder.path(), folder.path("out.linnet"), {}),
                       doctest::Contains("the filter 'frobnicate' is not supported); --no-chat-template"), Error);
  CHECK_FALSE(std::filesystem::exists(folder.path("out.linnet")));
  Options options;
  options.chat_template = false;
  convert::convert(folder.path(), folder.path("out.linnet"), options);
  CHECK(Model::open(folder.path("out.linnet").c_str())->chat_template() == "");
}
