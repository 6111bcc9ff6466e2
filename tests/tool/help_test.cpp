#include "tool/tool.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

struct Command {
  const char* name;
  std::vector<const char*> options;
};
const Command kCommands[] = {
    {"convert", {"--output", "--weights", "--simulate", "--no-chat-template", "--list", "--json"}},
    {"inspect", {"--json", "--tensors"}},
    {"verify", {}},
    {"plan", {"--context", "--batch-tokens", "--sequences", "--threads", "--isa", "--json", "--svg"}},
    {"run", {"--inputs", "--outputs", "--batch-tokens", "--context", "--threads", "--isa"}},
    {"generate",
     {"--prompt", "--ids", "--max-tokens", "--temperature", "--seed", "--ignore-eos", "--raw", "--json", "--context", "--batch-tokens",
      "--threads", "--isa"}},
    {"embed", {"--json", "--batch-tokens", "--threads", "--isa"}},
    {"classify", {"--json", "--batch-tokens", "--threads", "--isa"}},
    {"tokenize", {"--jsonl"}},
    {"template",
     {"--messages", "--system", "--user", "--tools", "--documents", "--set", "--name", "--time", "--no-generation-prompt", "--ids",
      "--json", "--jsonl"}},
    {"bench", {"--prompt", "--generate", "--depth", "--repeat", "--threads", "--isa", "--json"}},
};

size_t longest_line(const std::string& text) {
  size_t longest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  return longest;
}

}  // namespace

TEST_CASE("the tool lists its commands, and each explains its options in lines that fit a terminal") {
  Workshop shop;
  const Answer all = shop.linnet("--help");
  CHECK(all.status == 0);
  for (const Command& command : kCommands) {
    CAPTURE(command.name);
    CHECK(all.out.find("\n  " + std::string(command.name) + " ") != std::string::npos);
    const Answer help = shop.linnet(std::string(command.name) + " --help");
    CHECK(help.status == 0);
    CHECK(help.err == "");
    CHECK(help.out.find("Usage: linnet " + std::string(command.name)) != std::string::npos);
    CHECK(longest_line(help.out) <= 160);
    for (const char* option : command.options) CHECK_MESSAGE(help.out.find(option) != std::string::npos, option);
  }
}

TEST_CASE("--version prints a version") {
  Workshop shop;
  const Answer answer = shop.linnet("--version");
  CHECK(answer.status == 0);
  CHECK(answer.out.find('.') != std::string::npos);
}

TEST_CASE("a command line that makes no sense is exit status 2, one line, and says where help is") {
  Workshop shop;
  check_refusal(shop.linnet(""), 2, "linnet --help");
  check_refusal(shop.linnet("sing"), 2, "--help");
  check_refusal(shop.linnet("inspect"), 2, "MODEL");
  check_refusal(shop.linnet("inspect decoder.linnet --loud"), 2, "--loud");
  check_refusal(shop.linnet("convert decoder"), 2, "-o");
  check_refusal(shop.linnet("convert decoder -o out/x --weights int3"), 2, "int3");
  check_refusal(shop.linnet("convert decoder -o out/x --tensor q_proj"), 2, "--tensor");
  check_refusal(shop.linnet("convert decoder -o out/x --tensor q_proj=int3"), 2, "'int3'");
  check_refusal(shop.linnet("convert decoder -o out/x --tensor =q_proj="), 2, "--tensor");
  check_refusal(shop.linnet("convert decoder -o out/x --head int3"), 2, "int3");
  check_refusal(shop.linnet("generate decoder.linnet"), 2, "--prompt");
  check_refusal(shop.linnet("generate decoder.linnet --ids 1 --prompt a"), 2, "--prompt");
  check_refusal(shop.linnet("generate decoder.linnet --ids 1 --max-tokens many"), 2, "--max-tokens");
  check_refusal(shop.linnet("generate decoder.linnet --ids 1 --max-tokens -1"), 2, "--max-tokens");
  check_refusal(shop.linnet("generate decoder.linnet --ids 1 --threads 0"), 2, "--threads");
  check_refusal(shop.linnet("plan decoder.linnet --context 0"), 2, "--context");
  check_refusal(shop.linnet("plan decoder.linnet --state int3"), 2, "--state");
  check_refusal(shop.linnet("run decoder.linnet --inputs a"), 2, "--outputs");
  check_refusal(shop.linnet("bench decoder.linnet --repeat 0"), 2, "--repeat");
  check_refusal(shop.linnet("bench decoder.linnet --prompt 0 --generate 0"), 2, "--prompt");
  check_refusal(shop.linnet("bench decoder.linnet --threads 0"), 2, "--threads");
  check_refusal(shop.linnet("bench decoder.linnet --threads 1,65"), 2, "--threads");
  check_refusal(shop.linnet("bench decoder.linnet --batch-tokens 0"), 2, "--batch-tokens");
  check_refusal(shop.linnet("bench decoder.linnet --context 0"), 2, "--context");
  check_refusal(shop.linnet("bench decoder.linnet --state int3"), 2, "int3");
  check_refusal(shop.linnet("bench decoder.linnet --depth many"), 2, "--depth");
  check_refusal(shop.linnet("bench encoder.linnet --prompt 0"), 2, "--prompt");
}
