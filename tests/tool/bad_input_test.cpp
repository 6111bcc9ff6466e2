#include "tool/tensor_bytes.h"
#include "tool/tool.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

// Every command that opens a model, with `%` where the model goes.
const char* const kOpening[] = {
    "inspect %", "verify %",   "plan %",  "run % --inputs in.safetensors --outputs out/o", "generate % --ids 1,2",
    "embed %",   "classify %", "bench %",
};

std::string with_model(std::string command, const std::string& model) { return command.replace(command.find('%'), 1, model); }

}  // namespace

TEST_CASE("a model that cannot be opened is exit status 1 and one sentence with its name") {
  Workshop shop;
  const std::string whole = read_text(shop.path("decoder.linnet"));
  shop.write("short.linnet", whole.substr(0, whole.size() - 100));
  shop.write("header.linnet", whole.substr(0, 40));
  shop.write("empty.linnet", "");
  shop.write("text.linnet", std::string(5000, 'a'));
  const std::set<std::string> before = shop.names();
  for (const char* command : kOpening)
    for (const char* model : {"absent.linnet", "short.linnet", "header.linnet", "empty.linnet", "text.linnet", "decoder"}) {
      CAPTURE(command);
      check_refusal(shop.linnet(with_model(command, model)), 1, model);
    }
  CHECK(shop.names() == before);
}

TEST_CASE("damaged weights are found by verify, by the tensor's name") {
  Workshop shop;
  std::string bytes = read_text(shop.path("decoder.linnet"));
  bytes[bytes.size() - 10] = static_cast<char>(bytes[bytes.size() - 10] ^ 1);
  shop.write("damaged.linnet", bytes);
  check_refusal(shop.linnet("verify damaged.linnet"), 1, "damaged.linnet");
  CHECK(shop.linnet("verify decoder.linnet").status == 0);
}

TEST_CASE("a checkpoint that cannot be converted leaves nothing behind") {
  Workshop shop;
  std::filesystem::create_directories(shop.path("hollow"));
  shop.write("hollow/config.json", "{}");
  std::filesystem::create_directories(shop.path("broken"));
  shop.write("broken/config.json", "{\"model_type\": \"llama\"");
  std::filesystem::create_directories(shop.path("unknown"));
  shop.write("unknown/config.json", "{\"model_type\": \"songbird\"}");
  std::filesystem::copy(shop.path("decoder"), shop.path("cut"));
  std::filesystem::resize_file(shop.path("cut/model.safetensors"), 3000);
  shop.write("noise.gguf", std::string(300, 'x'));
  const std::set<std::string> before = shop.names();
  for (const char* source : {"absent", "hollow", "broken", "unknown", "cut", "noise.gguf", "out", "decoder.linnet"})
    check_refusal(shop.linnet("convert " + std::string(source) + " -o out/x.linnet"), 1, source);
  CHECK(shop.names() == before);
}

TEST_CASE("an output that cannot be written is refused by name, and nothing half-written stays") {
  Workshop shop;
  shop.write("in.safetensors", token_file({{1, 2, 3}}));
  const std::set<std::string> before = shop.names();
  for (const char* where : {"absent/x", "out", "/dev/full", "decoder.linnet/x"}) {
    CAPTURE(where);
    const std::string path = where;
    check_refusal(shop.linnet("convert encoder -o " + path), 1, path);
    check_refusal(shop.linnet("run decoder.linnet --inputs in.safetensors --outputs " + path), 1, path);
    const Answer drawn = shop.linnet("plan decoder.linnet --svg " + path);
    CHECK(drawn.status == 1);
    CHECK(drawn.err.find(path) != std::string::npos);
  }
  CHECK(shop.names() == before);
  CHECK(std::filesystem::is_character_file("/dev/full"));
  check_refusal(shop.linnet("convert decoder -o decoder/model.safetensors/x"), 1, "decoder/model.safetensors");
}

TEST_CASE("a full disk behind standard output is an error too") {
  Workshop shop;
  for (const char* command : {"--help", "convert --list", "inspect decoder.linnet", "plan decoder.linnet --json",
                              "generate decoder.linnet --ids 1,2 --json", "bench decoder.linnet --prompt 2 --generate 2 --repeat 1"}) {
    CAPTURE(command);
    const Answer answer = shop.linnet(std::string(command) + " > /dev/full");
    CHECK(answer.status == 1);
    CHECK(answer.err.find("No space left") != std::string::npos);
  }
}

TEST_CASE("a prompt beyond the context and ids beyond the vocabulary are refused with both numbers") {
  Workshop shop;
  Answer answer = shop.linnet("generate decoder.linnet --ids 1,2,3,4,5 --context 4");
  check_refusal(answer, 1, "5");
  CHECK(answer.err.find("4") != std::string::npos);
  answer = shop.linnet("generate decoder.linnet --ids 1,131");
  check_refusal(answer, 1, "131");
  check_refusal(shop.linnet("generate decoder.linnet --ids 1,-2"), 1, "-2");
  check_refusal(shop.linnet("generate decoder.linnet --ids 1,,2"), 1, "--ids");
  check_refusal(shop.linnet("generate decoder.linnet --ids one"), 1, "one");
  check_refusal(shop.linnet("generate decoder.linnet --ids 99999999999"), 1, "99999999999");
  answer = shop.linnet("plan decoder.linnet --context 513");
  check_refusal(answer, 1, "513");
  CHECK(answer.err.find("512") != std::string::npos);
  check_refusal(shop.linnet("plan decoder.linnet --isa steam"), 1, "steam");
}

TEST_CASE("a model of another task is refused with its task") {
  Workshop shop;
  check_refusal(shop.linnet("generate encoder.linnet --ids 1"), 1, "encoder.linnet");
  check_refusal(shop.linnet("embed decoder.linnet"), 1, "text_generation");
  check_refusal(shop.linnet("classify decoder.linnet"), 1, "text_generation");
}

TEST_CASE("tensors that do not fit the model are refused by name") {
  Workshop shop;
  const std::string good = token_file({{1, 2, 3}});
  shop.write("cut.safetensors", good.substr(0, good.size() - 4));
  shop.write("seven.safetensors", "1234567");
  shop.write("long.safetensors", std::string(8, '\x7f') + "{}");
  shop.write("names.safetensors", token_file({{1, 2}}, "tokens"));
  shop.write("beyond.safetensors", token_file({{1, 131}}));
  for (const char* file : {"absent.safetensors", "cut.safetensors", "seven.safetensors", "long.safetensors", "out"})
    check_refusal(shop.linnet("run decoder.linnet --outputs out/o --inputs " + std::string(file)), 1, file);
  check_refusal(shop.linnet("run decoder.linnet --outputs out/o --inputs names.safetensors"), 1, "input_ids");
  check_refusal(shop.linnet("run decoder.linnet --outputs out/o --inputs beyond.safetensors"), 1, "131");
  CHECK(std::filesystem::is_empty(shop.path("out")));
}

TEST_CASE("a model is not converted onto itself") {
  Workshop shop;
  shop.write("one.gguf", "GGUF");
  check_refusal(shop.linnet("convert one.gguf -o one.gguf"), 1, "one.gguf");
  CHECK(read_text(shop.path("one.gguf")) == "GGUF");
}

TEST_CASE("what looks like a part of a checkpoint is not written over") {
  Workshop shop;
  const char* const kParts[] = {
      "decoder/model.safetensors", "decoder/config.json", "decoder/tokenizer.json", "kept.gguf", "kept.model", "kept.bin", "kept.txt"};
  for (const char* part : {"kept.gguf", "kept.model", "kept.bin", "kept.txt"}) shop.write(part, "kept");
  for (const char* part : kParts) {
    const std::string before = read_text(shop.path(part));
    check_refusal(shop.linnet("convert encoder -o " + std::string(part)), 1, part);
    CHECK(read_text(shop.path(part)) == before);
  }
  check_refusal(shop.linnet("convert decoder -o decoder"), 1, "decoder");
  check_refusal(shop.linnet("convert decoder -o ./decoder/../decoder"), 1, "decoder");
  CHECK(shop.linnet("convert encoder -o out/new.gguf").status == 0);  // nothing is lost
}

TEST_CASE("a refused conversion or tokenizer is told with its source first") {
  Workshop shop;
  std::filesystem::copy(shop.path("decoder"), shop.path("changed"));
  shop.write("changed/tokenizer.json", "{\"model\": 3}");
  const Answer converted = shop.linnet("convert changed -o out/x");
  check_refusal(converted, 1, "tokenizer.json");
  CHECK(converted.err.rfind("linnet: changed", 0) == 0);
  for (const char* source : {"absent", "absent.linnet", "changed", "out"}) {
    check_refusal(shop.linnet("tokenize " + std::string(source) + " w1"), 1, source);
    const Answer answer = shop.linnet("tokenize --jsonl " + std::string(source), "{}\n");
    check_refusal(answer, 1, source);
    CHECK(answer.err.rfind("linnet: " + std::string(source), 0) == 0);
  }
  CHECK(shop.linnet("tokenize --jsonl decoder", "{}\n").err.rfind("linnet: decoder: line 1: ", 0) == 0);
}

TEST_CASE("an empty prompt is a prompt: what the tokenizer adds, or a clear error where that is nothing") {
  Workshop shop;
  const Answer written = shop.linnet("generate decoder.linnet --prompt '' --max-tokens 2 --json");
  CHECK(written.status == 0);
  CHECK(written.out.find("\"prompt_ids\":[129,130]") != std::string::npos);  // [CLS] [SEP]
  check_refusal(shop.linnet("generate decoder.linnet --prompt '' --ids 1"), 2, "--prompt");
  check_refusal(shop.linnet("generate decoder.linnet --ids ''"), 1, "decoder.linnet: the prompt is empty");
  std::filesystem::copy(shop.path("decoder"), shop.path("plain"));
  std::string tokenizer = read_text(shop.path("plain/tokenizer.json"));
  const size_t at = tokenizer.find("\"post_processor\"");
  REQUIRE(at != std::string::npos);
  shop.write("plain/tokenizer.json", tokenizer.replace(at + 1, 4, "none"));
  REQUIRE(shop.linnet("convert plain -o plain.linnet").status == 0);
  check_refusal(shop.linnet("generate plain.linnet --prompt ''"), 1, "plain.linnet: the prompt is empty");
}
