// Checkpoints of unknown origin through readers and pages, up to the packed tensors. What begins with "GGUF" is such a file, what begins
// with a brace a tokenizer.json, and a config.json over the tensors of a small model, everything else a safetensors file. Refusals are
// convert::Error.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "convert/architecture.h"
#include "convert/fake_checkpoint.h"
#include "convert/readers/file.h"
#include "convert/readers/open.h"
#include "convert/readers/safetensors.h"
#include "convert/text/draft_tokenizer.h"
#include "convert/text/tokenizer_json.h"

using namespace linnet::convert;

namespace {

/// In a folder of this process alone, removed at its end.
class ScratchFile {
 public:
  ScratchFile() : path_(std::filesystem::temp_directory_path() / ("linnet-fuzz-" + std::to_string(::getpid()))) {}
  ~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::string& holding(std::string_view bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    return path_;
  }

 private:
  std::string path_;
};

void write_and_pack(const Checkpoint& checkpoint) {
  Options options;
  options.weights = "int4";
  Graph graph(checkpoint, options);
  choose_architecture(checkpoint, architectures()).write(Config(checkpoint.config()), graph);
  graph.check_everything_read();
  graph.fold();
  for (uint32_t i = 0; i < graph.weights().size(); ++i) graph.weights().pack(graph.weights()[i]);
}

void refusable(void (*read)(std::string_view), std::string_view bytes) {
  try {
    read(bytes);
  } catch (const Error& refusal) {
    if (std::strlen(refusal.what()) == 0) std::abort();
  }
}

void read_tokenizer_json(std::string_view bytes) {
  const linnet::Tokenizer tokenizer = open_draft(parse_tokenizer_json(std::string(bytes), "tokenizer.json"));
  linnet::Ids ids;
  linnet::Text text;
  if (tokenizer.encode("Ab [SEP]  1\xC3\xA9", {}, &ids).ok())
    static_cast<void>(tokenizer.decode({ids.data(), ids.size()}, true, &text).ok());
}

void read_config_json(std::string_view bytes) {
  for (FakeCheckpoint checkpoint : {small_llama(), small_bert()}) {
    checkpoint.config() = parse_json(std::string(bytes), "config.json");
    write_and_pack(checkpoint);
  }
}

void read(std::string_view bytes) {
  static ScratchFile scratch;
  if (bytes.substr(0, 4) == "GGUF") {
    write_and_pack(*open_gguf(scratch.holding(bytes)));
  } else if (bytes.substr(0, 1) == "{") {
    refusable(read_tokenizer_json, bytes);
    read_config_json(bytes);
  } else {
    const SafetensorsFile file(scratch.holding(bytes));
    for (const auto& [name, entry] : file.entries()) file.read(name);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  refusable(read, {reinterpret_cast<const char*>(data), size});
  return 0;
}
