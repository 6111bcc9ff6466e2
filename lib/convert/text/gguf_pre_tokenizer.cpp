#include <fmt/format.h>

#include <sstream>

#include "convert/checkpoint.h"
#include "convert/text/gguf_tokenizer.h"
#include "convert/text/patterns.h"

namespace linnet::convert {

namespace {

struct Known {
  const char* names;
  const char* scanners;    // one after the other, each on the pieces that the one before has left
  const char* marks = "";  // b: begins with bos unless the file says otherwise, s: ends with sep, m: a piece that is a token stays whole
};
constexpr Known kKnown[] = {
    {"gpt-2 phi-2 mpt olmo jais jina-es jina-de jina-v2-es jina-v2-de exaone4 gigachat trillion granite-docling", "gpt2"},
    {"roberta-bpe jina-v1-en jina-v2-code", "gpt2", "s"},
    {"llama-bpe llama3 llama-v3 falcon3 pixtral lfm2", "llama3", "bm"},
    {"dbrx smaug-bpe chatglm-bpe glm4", "llama3"},
    {"qwen2 stablelm2 megrez deepseek-r1-qwen hunyuan grok-2", "qwen2"},
    {"starcoder refact command-r smollm codeshell exaone minerva-7b", "number gpt2"},
    {"falcon", "marks_backquote gpt2 three_digits"},
    {"default", "marks gpt2 numbers three_digits"},
    {"deepseek-coder", "line_end spaced_letters spaced_punctuation deepseek_ideographs number"},
    {"deepseek-llm", "line_end deepseek_cased deepseek_marks trailing_spaces deepseek_ideographs numbers"},
    {"deepseek-v3 hunyuan-dense", "numbers_1_3 deepseek3_ideographs deepseek3"},
    {"tekken", "tekken", "bm"},
    {"gpt-4o llama4", "o200k"},
    {"bloom poro-chat gpt3-finnish", "bloom"},
    {"viking", "bloom number"},
};

bool lists(const char* words, const std::string& wanted) {
  std::istringstream in(words);
  for (std::string word; in >> word;)
    if (word == wanted) return true;
  return false;
}

}  // namespace

GgufPreTokenizer gguf_pre_tokenizer(const std::string& name) {
  for (const Known& known : kKnown) {
    if (!lists(known.names, name)) continue;
    GgufPreTokenizer found;
    std::istringstream scanners(known.scanners);
    for (std::string scanner; scanners >> scanner;) found.stages.push_back(split_at_scanner(scanner, text::Behavior::isolated));
    const std::string marks = known.marks;
    found.add_begin = marks.find('b') != marks.npos;
    found.add_separator = marks.find('s') != marks.npos;
    found.ignore_merges = marks.find('m') != marks.npos;
    return found;
  }
  throw Error(fmt::format("GGUF key 'tokenizer.ggml.pre' is '{}', a pre-tokenizer that this library does not know", name));
}

}  // namespace linnet::convert
